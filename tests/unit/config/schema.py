"""The trainer's schema, written down anew from its description, as pydantic models; reads files from stdin.

Input: a JSON list of texts. Output: for each null where the trainer's validate command rejects the text, else its values by path.
"""

import io
import json
import math
import sys
from pathlib import Path
from typing import Annotated, Literal, Optional

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError, create_model, model_validator


def check(message, holds):
    def validate(value):
        if not holds(value):
            raise ValueError(message)
        return value

    return AfterValidator(validate)


odd = check("odd", lambda v: v % 2 != 0)
kernels = check("odd, 3 to 11", lambda v: all(k % 2 != 0 and 3 <= k <= 11 for k in v))
channels = check("fixed", lambda v: v == [64, 128, 256, 512])
band = check("rises within 0.1 to 200", lambda v: not (v[0] >= v[1] or v[0] < 0.1 or v[1] > 200))

I, F, B, S, P = int, float, bool, str, Path


def ge(kind, low, high=None):
    return Annotated[kind, Field(ge=low, le=high)] if high is not None else Annotated[kind, Field(ge=low)]


def gt(kind, low, high=None):
    return Annotated[kind, Field(gt=low, lt=high)] if high is not None else Annotated[kind, Field(gt=low)]


KEYS = {
    "data.dataset": (Literal["tuh_eeg", "chb_mit"], "tuh_eeg"),
    "data.data_dir": (P, Path("data")),
    "data.cache_dir": (P, Path("cache/data")),
    "data.use_balanced_sampling": (B, True),
    "data.sampling_rate": (Literal[256], 256),
    "data.n_channels": (Literal[19], 19),
    "data.window_size": (Literal[60], 60),
    "data.stride": (Literal[10], 10),
    "data.num_workers": (ge(I, 0, 32), 0),
    "data.pin_memory": (B, False),
    "data.persistent_workers": (B, False),
    "data.prefetch_factor": (ge(I, 2), 2),
    "data.validation_split": (ge(F, 0, 0.5), 0.2),
    "data.max_samples": (Optional[ge(I, 1)], None),
    "data.max_hours": (Optional[gt(F, 0)], None),
    "preprocessing.montage": (Literal["10-20", "standard_1020"], "10-20"),
    "preprocessing.bandpass": (Annotated[tuple[float, float], band], (0.5, 120.0)),
    "preprocessing.notch_freq": (Literal[50, 60], 60),
    "preprocessing.normalize": (B, True),
    "preprocessing.use_mne": (B, True),
    "model.name": (Literal["seizure_detector"], "seizure_detector"),
    "model.encoder.stages": (Literal[4], 4),
    "model.encoder.channels": (Annotated[list[int], channels], [64, 128, 256, 512]),
    "model.encoder.kernel_size": (ge(I, 3, 9), 5),
    "model.encoder.downsample_factor": (Literal[2], 2),
    "model.rescnn.n_blocks": (Literal[3], 3),
    "model.rescnn.kernel_sizes": (Annotated[list[int], kernels], [3, 5, 7]),
    "model.rescnn.dropout": (ge(F, 0, 0.5), 0.1),
    "model.mamba.n_layers": (ge(I, 1, 12), 6),
    "model.mamba.d_model": (Literal[512], 512),
    "model.mamba.d_state": (Literal[16], 16),
    "model.mamba.conv_kernel": (ge(I, 3, 9), 5),
    "model.mamba.dropout": (ge(F, 0, 0.5), 0.1),
    "model.decoder.stages": (Literal[4], 4),
    "model.decoder.kernel_size": (ge(I, 2, 8), 2),
    "postprocessing.hysteresis.tau_on": (ge(F, 0.5, 1), 0.86),
    "postprocessing.hysteresis.tau_off": (ge(F, 0.5, 1), 0.78),
    "postprocessing.hysteresis.min_onset_samples": (ge(I, 1), 128),
    "postprocessing.hysteresis.min_offset_samples": (ge(I, 1), 256),
    "postprocessing.morphology.opening_kernel": (Annotated[ge(I, 1), odd], 11),
    "postprocessing.morphology.closing_kernel": (Annotated[ge(I, 1), odd], 31),
    "postprocessing.morphology.use_gpu": (B, False),
    "postprocessing.duration.min_duration_s": (ge(F, 0), 3.0),
    "postprocessing.duration.max_duration_s": (gt(F, 0), 600.0),
    "postprocessing.events.tau_merge": (ge(F, 0), 2.0),
    "postprocessing.events.confidence_method": (Literal["mean", "peak", "percentile"], "mean"),
    "postprocessing.events.confidence_percentile": (gt(F, 0, 1), 0.75),
    "postprocessing.stitching.method": (Literal["overlap_add", "overlap_add_weighted", "max"], "overlap_add"),
    "postprocessing.stitching.window_size": (ge(I, 1), 15360),
    "postprocessing.stitching.stride": (ge(I, 1), 2560),
    "postprocessing.min_duration": (ge(F, 1), 3.0),
    "training.epochs": (ge(I, 1, 200), 1),
    "training.batch_size": (ge(I, 1, 256), 16),
    "training.loss": (Literal["bce", "focal"], "bce"),
    "training.focal_alpha": (ge(F, 0, 1), 0.5),
    "training.focal_gamma": (ge(F, 0), 2.0),
    "training.learning_rate": (ge(F, 1e-6, 1e-2), 3e-4),
    "training.weight_decay": (ge(F, 0, 0.2), 0.05),
    "training.optimizer": (Literal["adamw", "adam", "sgd"], "adamw"),
    "training.resume": (B, False),
    "training.scheduler.type": (Literal["cosine", "linear", "constant"], "cosine"),
    "training.scheduler.warmup_ratio": (ge(F, 0, 0.5), 0.1),
    "training.gradient_clip": (ge(F, 0), 1.0),
    "training.mixed_precision": (B, True),
    "training.early_stopping.patience": (ge(I, 1, 50), 5),
    "training.early_stopping.metric": (S, "sensitivity_at_10fa"),
    "training.early_stopping.mode": (Literal["max", "min"], "max"),
    "evaluation.metrics": (list[str], ["taes", "sensitivity", "specificity", "auroc"]),
    "evaluation.fa_rates": (list[float], [10, 5, 2.5, 1]),
    "evaluation.save_predictions": (B, False),
    "evaluation.save_plots": (B, True),
    "experiment.name": (S, "debug"),
    "experiment.description": (S, "default experiment"),
    "experiment.seed": (I, 42),
    "experiment.device": (Literal["auto", "cuda", "cpu", "mps"], "auto"),
    "experiment.output_dir": (P, Path("results")),
    "experiment.cache_dir": (P, Path("cache")),
    "experiment.log_level": (Literal["DEBUG", "INFO", "WARNING", "ERROR"], "INFO"),
    "experiment.save_model": (B, False),
    "experiment.save_best_only": (B, True),
    "experiment.wandb.enabled": (B, False),
    "experiment.wandb.project": (S, "seizure-detection"),
    "experiment.wandb.entity": (Optional[S], None),
    "experiment.wandb.tags": (list[str], []),
    "logging.log_every_n_steps": (ge(I, 1), 10),
    "logging.log_gradients": (B, False),
    "logging.log_weights": (B, False),
    "resources.max_memory_gb": (Optional[gt(F, 0)], None),
    "resources.distributed": (B, False),
    "resources.mixed_precision": (B, True),
}
REQUIRED = ["data", "model", "training", "postprocessing"]


class Hysteresis(BaseModel):
    @model_validator(mode="after")
    def rises(self):
        if self.tau_on <= self.tau_off:
            raise ValueError("tau_on must be above tau_off")
        return self


class Duration(BaseModel):
    @model_validator(mode="after")
    def rises(self):
        if self.max_duration_s < self.min_duration_s:
            raise ValueError("max_duration_s must be at least min_duration_s")
        return self


class Whole(BaseModel):
    @model_validator(mode="after")
    def fits_device(self):
        if self.experiment.device == "cpu" and self.training.mixed_precision:
            raise ValueError("mixed precision needs a GPU")
        return self


BASES = {"postprocessing.hysteresis": Hysteresis, "postprocessing.duration": Duration, "": Whole}


def model(section):
    prefix = f"{section}." if section else ""
    fields = {}
    for path, (kind, default) in KEYS.items():
        if not path.startswith(prefix):
            continue
        name, *rest = path[len(prefix) :].split(".")
        if not rest:
            fields[name] = (kind, default)
        elif name not in fields:
            inner = model(prefix + name)
            optional = prefix + name == "resources"
            fields[name] = (Optional[inner], None) if optional else (inner, Field(default_factory=inner))
    return create_model(section.replace(".", "_") or "whole", __base__=BASES.get(section, BaseModel), **fields)


CONFIG = model("")


def plain(value):
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return {"number": repr(float(value)) if abs(value) < 1e308 or isinstance(value, float) else "inf"}
    return [plain(one) for one in value]


def values(config):
    found = {}
    for path in KEYS:
        at = config
        for name in path.split("."):
            at = None if at is None else getattr(at, name)
        found[path] = plain(at)
    if config.resources is None:
        for path in KEYS:
            if path.startswith("resources."):
                found[path] = plain(KEYS[path][1])
    return found


def read(text):
    try:
        # As a file that Python opens in text mode: every line end is \n.
        data = yaml.safe_load(io.StringIO(text, newline=None).read())
        if not isinstance(data, dict) or any(name not in data for name in REQUIRED):
            return None
        return values(CONFIG(**data))
    except Exception:
        return None


if __name__ == "__main__":
    json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)

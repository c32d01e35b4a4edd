/** The lessons without the rest of the app: for other sites, which may frame them. */
import '../../base/trusted_types';
import { mount } from 'svelte';
import Alone from './Alone.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no element "app"');
mount(Alone, { target });

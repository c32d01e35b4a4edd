import '../base/trusted_types';
import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no element "app"');
target.replaceChildren();
mount(App, { target });

import type { Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { defineAsyncComponent } from 'vue';
import './style.css';

// Only in the browser, and only where a page has it: plots and readers weigh more than the documents.
const tools = {
  CurvesTool: defineAsyncComponent(() => import('../../playground/curves/CurvesTool.vue')),
  FileTool: defineAsyncComponent(() => import('../../playground/file/FileTool.vue')),
  PosteriorTool: defineAsyncComponent(() => import('../../playground/posterior/PosteriorTool.vue')),
  MachineTool: defineAsyncComponent(() => import('../../playground/machine/MachineTool.vue')),
};

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    for (const [name, component] of Object.entries(tools)) app.component(name, component);
  },
} satisfies Theme;

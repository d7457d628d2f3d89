// What every page does with script: local times, the menu, colours, copying, asking first, sentences that go away.

import { askFirst } from "./dialogs.js";
import { localTimes } from "./times.js";
import { fadeToasts } from "./toasts.js";
import { chooseThemes } from "./themes.js";
import { closeMenus } from "./menus.js";
import { copyButtons } from "./copying.js";

localTimes(document);
copyButtons(document);
askFirst(document);
closeMenus(document);
chooseThemes(document);
fadeToasts(document);

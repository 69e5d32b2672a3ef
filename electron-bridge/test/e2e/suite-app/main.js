// The app of the real-Electron suite. It has no package.json here: the one that packages it writes that.
// --scene names the scene that it plays; without it, a window that can do what the suite asks of it.
"use strict";

const { app } = require("electron");

require(`./scenes/${app.commandLine.getSwitchValue("scene") || "window"}.js`);

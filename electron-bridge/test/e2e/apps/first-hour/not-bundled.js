// A preload script as a bundler leaves it that takes the bridge's for a package to load at run time.
"use strict";

require("electron-sidecar/preload");

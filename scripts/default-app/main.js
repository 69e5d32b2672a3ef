// The app that a bare Electron starts with: loads the app named on the command line, as `electron path/to/app` does.
// A packaged Electron has none; get-electron puts this folder into its `resources/app`.
'use strict';

const { app } = require('electron');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

// As Electron's own default app says it: the app that follows is not packaged.
process.defaultApp = true;

function parse(argv) {
  const modules = [];
  for (let index = 0; index < argv.length; index += 1) {
    if (argv[index] === '-r' || argv[index] === '--require') modules.push(argv[++index]);
    else if (!argv[index].startsWith('-')) return { modules, appPath: path.resolve(argv[index]) };
  }
  return { modules, appPath: undefined };
}

function introduce(manifest) {
  app.setVersion(manifest.version ?? '0.0.0');
  app.setName(manifest.productName ?? manifest.name ?? 'Electron');
  if (!app.commandLine.hasSwitch('user-data-dir')) {
    app.setPath('userData', path.join(app.getPath('appData'), app.getName()));
  }
}

const { modules, appPath } = parse(process.argv.slice(1));
const requireFromHere = createRequire(path.join(process.cwd(), 'anything.js'));
for (const module of modules) requireFromHere(module);
if (appPath === undefined) {
  console.error('Usage: electron [options] path/to/app');
  app.exit(2);
} else {
  const manifestPath = path.join(appPath, 'package.json');
  if (fs.existsSync(manifestPath)) introduce(JSON.parse(fs.readFileSync(manifestPath, 'utf8')));
  app.setAppPath(fs.statSync(appPath).isDirectory() ? appPath : path.dirname(appPath));
  require(appPath);
}

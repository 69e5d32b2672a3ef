// Hands the sidecar to the pages. Functions of your own for the pages go here too, with contextBridge.
import "electron-sidecar/preload";

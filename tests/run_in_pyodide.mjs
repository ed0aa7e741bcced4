// Runs Python scripts in Pyodide under Node, from a folder of this machine, with no network.
//
//   node run_in_pyodide.mjs PYODIDE WHEELS REPOSITORY SCRIPT...
//
// The wheels are loaded for what they need and for the package's metadata; the code of the package
// itself comes from the repository. Prints a line of JSON for each script: its name, its seconds,
// and the error if there is one.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [pyodideFolder, wheels, repository, ...scripts] = process.argv.slice(2).map((x) => resolve(x));
const { loadPyodide } = await import(pathToFileURL(join(pyodideFolder, "pyodide.mjs")));
const python = await loadPyodide({
  indexURL: pyodideFolder + "/",
  stdout: () => {},
  env: { HOME: "/tmp", MPLBACKEND: "Agg" },
});
const packages = ["numpy", "scipy", "sympy", "matplotlib", "typing-extensions", "pygments"];
const own = readdirSync(wheels).filter((name) => name.endsWith(".whl") && !name.includes("widgets"));
await python.loadPackage([...packages, ...own.map((name) => join(wheels, name))], {
  messageCallback: () => {},
});
python.FS.mkdirTree("/repository");
python.FS.mount(python.FS.filesystems.NODEFS, { root: repository }, "/repository");
python.runPython(`
import os, sys, warnings
sys.dont_write_bytecode = True
sys.path.insert(0, "/repository")
os.chdir("/tmp")
import matplotlib, mpmath, numpy, scipy, sympy  # what they warn of is not ours
assert numpy.arange(1).dtype == numpy.int32, "the default integer has 32 bits"
`);
for (const script of scripts) {
  const start = Date.now();
  let error = null;
  try {
    const globals = python.toPy({ __name__: "__main__" });
    python.runPython(readFileSync(script, "utf8"), { globals, filename: basename(script) });
    python.runPython("import matplotlib.pyplot as plt; plt.close('all')");
  } catch (thrown) {
    error = String(thrown.message ?? thrown);
  }
  console.log(JSON.stringify({ script: basename(script), seconds: (Date.now() - start) / 1e3, error }));
}
process.exit(0);

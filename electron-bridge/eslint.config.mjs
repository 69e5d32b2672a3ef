import eslint from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** The folders under src that a folder may not import: main, preload and renderer never import one another. */
const mayNotImport = (folder, others, ...more) => ({
  files: [`src/${folder}/**/*.ts`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          ...others.map((other) => ({
            group: [`**/${other}/**`, `**/${other}`],
            message: `${folder} must not import ${other}: only shared is common.`,
          })),
          ...more,
        ],
      },
    ],
  },
});

const noNode = { regex: "^(node:|electron$)", message: "This file must run without Node and Electron." };

export default defineConfig(
  globalIgnores(["dist/", "create/dist/", "create/templates/", "test/fixtures/", "**/*.generated.ts"]),
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      "@typescript-eslint/dot-notation": "off",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
    },
  },
  mayNotImport("main", ["preload", "renderer"]),
  mayNotImport("preload", ["main", "renderer"], {
    regex: "^node:",
    message: "A sandboxed page has no Node.",
  }),
  mayNotImport("renderer", ["main", "preload"], noNode),
  mayNotImport("testing", ["preload", "renderer"]),
  mayNotImport("shared", ["main", "preload", "renderer"], noNode),
  {
    ...mayNotImport("main", ["preload", "renderer"], noNode),
    files: [
      "src/main/supervision/{clock,failure,health,policy,power,start-deadlines,stopping,supervisor}.ts",
      "src/main/child/{child,output}.ts",
    ],
  },
  {
    // Plain JavaScript runs in Node, in Electron or in a page: which names are defined differs from file to file.
    files: ["**/*.{js,cjs,mjs}"],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { "no-undef": "off", "@typescript-eslint/no-require-imports": "off" },
  },
  {
    // The packagers' own types are there only where the packaged apps are tested.
    files: ["test/packaging/**/*.ts"],
    extends: [tseslint.configs.disableTypeChecked],
  },
);

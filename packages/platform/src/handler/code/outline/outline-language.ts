/** What is worth a line of an outline, by the names that the grammars give their nodes. */

export type OutlineKind =
  | 'function'
  | 'async_function'
  | 'method'
  | 'class'
  | 'interface'
  | 'struct'
  | 'enum'
  | 'trait'
  | 'type'
  | 'module'
  | 'implementation'
  | 'constant'
  | 'variable'
  | 'import';

export type OutlineLanguage = {
  /** File of the grammar. */
  readonly grammar: string;
  readonly extensions: readonly string[];
  readonly kinds: Readonly<Record<string, OutlineKind>>;
  /** Functions directly inside these are methods. */
  readonly classes: readonly string[];
};

const ECMASCRIPT: OutlineLanguage['kinds'] = {
  function_declaration: 'function',
  generator_function_declaration: 'function',
  class_declaration: 'class',
  method_definition: 'method',
  import_statement: 'import',
  variable_declarator: 'variable', // With a function as its value it is a function.
  field_definition: 'method', // The same.
};
const TYPESCRIPT: OutlineLanguage['kinds'] = {
  ...ECMASCRIPT,
  abstract_class_declaration: 'class',
  interface_declaration: 'interface',
  type_alias_declaration: 'type',
  enum_declaration: 'enum',
  internal_module: 'module',
  module: 'module',
  public_field_definition: 'method', // Only with a function as its value.
  abstract_method_signature: 'method',
  method_signature: 'method',
  function_signature: 'function',
};
const C: OutlineLanguage['kinds'] = {
  function_definition: 'function',
  struct_specifier: 'struct',
  union_specifier: 'struct',
  enum_specifier: 'enum',
  type_definition: 'type',
  preproc_include: 'import',
  preproc_def: 'constant',
};

export const OUTLINE_LANGUAGES = {
  python: {
    grammar: 'tree-sitter-python.wasm',
    extensions: ['py', 'pyi'],
    kinds: {
      function_definition: 'function',
      class_definition: 'class',
      import_statement: 'import',
      import_from_statement: 'import',
      future_import_statement: 'import',
      assignment: 'variable',
    },
    classes: ['class_definition'],
  },
  typescript: {
    grammar: 'tree-sitter-typescript.wasm',
    extensions: ['ts', 'mts', 'cts'],
    kinds: TYPESCRIPT,
    classes: ['class_declaration', 'abstract_class_declaration', 'class'],
  },
  tsx: {
    grammar: 'tree-sitter-tsx.wasm',
    extensions: ['tsx'],
    kinds: TYPESCRIPT,
    classes: ['class_declaration', 'abstract_class_declaration', 'class'],
  },
  javascript: {
    grammar: 'tree-sitter-javascript.wasm',
    extensions: ['js', 'mjs', 'cjs', 'jsx'],
    kinds: ECMASCRIPT,
    classes: ['class_declaration', 'class'],
  },
  go: {
    grammar: 'tree-sitter-go.wasm',
    extensions: ['go'],
    kinds: {
      function_declaration: 'function',
      method_declaration: 'method',
      type_spec: 'type',
      type_alias: 'type',
      import_spec: 'import',
      const_spec: 'constant',
      var_spec: 'variable',
    },
    classes: [],
  },
  rust: {
    grammar: 'tree-sitter-rust.wasm',
    extensions: ['rs'],
    kinds: {
      function_item: 'function',
      function_signature_item: 'function',
      struct_item: 'struct',
      union_item: 'struct',
      enum_item: 'enum',
      trait_item: 'trait',
      impl_item: 'implementation',
      mod_item: 'module',
      type_item: 'type',
      use_declaration: 'import',
      const_item: 'constant',
      static_item: 'variable',
    },
    classes: ['impl_item', 'trait_item'],
  },
  java: {
    grammar: 'tree-sitter-java.wasm',
    extensions: ['java'],
    kinds: {
      class_declaration: 'class',
      record_declaration: 'class',
      interface_declaration: 'interface',
      annotation_type_declaration: 'interface',
      enum_declaration: 'enum',
      method_declaration: 'method',
      constructor_declaration: 'method',
      compact_constructor_declaration: 'method',
      import_declaration: 'import',
      field_declaration: 'variable',
    },
    classes: [],
  },
  /** There is no grammar of C alone; that of C++ reads it. */
  c: { grammar: 'tree-sitter-cpp.wasm', extensions: ['c', 'h'], kinds: C, classes: [] },
  cpp: {
    grammar: 'tree-sitter-cpp.wasm',
    extensions: ['cc', 'cpp', 'cxx', 'hpp', 'hh', 'hxx'],
    kinds: { ...C, class_specifier: 'class', namespace_definition: 'module', alias_declaration: 'type' },
    classes: ['class_specifier', 'struct_specifier'],
  },
} as const satisfies Record<string, OutlineLanguage>;
export type OutlineLanguageName = keyof typeof OUTLINE_LANGUAGES;

/** By the end of the name. */
export function languageOf(path: string): OutlineLanguageName | undefined {
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  const found = Object.entries(OUTLINE_LANGUAGES).find(([, { extensions }]) => (extensions as readonly string[]).includes(extension));
  return found?.[0] as OutlineLanguageName | undefined; // A key of the table.
}

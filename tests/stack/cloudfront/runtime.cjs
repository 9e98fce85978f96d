// CloudFront Functions as far as JavaScript runtime 2.0 allows: a line of JSON in, a line of JSON out.
//
// Each function has a context of its own, with nothing of Node's: no require, process, fetch or timers. Only text
// crosses its border. Functions that are asynchronous or load CloudFront's own modules are not run here.
'use strict';
const readline = require('node:readline');
const vm = require('node:vm');

const ABSENT = ['Atomics', 'FinalizationRegistry', 'SharedArrayBuffer', 'WeakRef', 'WebAssembly', 'escape', 'unescape'];
const TIMEOUT = {timeout: 1000};
const CALL = new vm.Script('handle(text)');
const callers = new Map();

function load(name, code) {
  const context = vm.createContext(Object.create(null), {codeGeneration: {strings: false, wasm: false}});
  vm.runInContext(ABSENT.map(each => `delete globalThis.${each};`).join(''), context);
  const program = `'use strict';${code}\n;(text => JSON.stringify(handler(JSON.parse(text))))`;
  callers.set(name, vm.createContext({handle: vm.runInContext(program, context, TIMEOUT)}));
  return null;
}

function run(name, event) {
  const caller = callers.get(name);
  caller.text = JSON.stringify(event);
  return CALL.runInContext(caller, TIMEOUT);
}

function answer(line) {
  const {name, code, event} = JSON.parse(line);
  try {
    return `{"made": ${code === undefined ? run(name, event) : load(name, code)}}`;
  } catch (error) {
    return JSON.stringify({error: String(error)});
  }
}

readline.createInterface({input: process.stdin}).on('line', line => process.stdout.write(`${answer(line)}\n`));

// Writes the tokenizer vectors beside this file: small vocabularies, made here, in the manner of published tokenizers, and
// what @huggingface/tokenizers makes of texts with them. `--check` writes nothing and fails where a file would change.
// Run where that package can be found: node tests/vectors/tokenizers/make.mjs

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { corpus, random, texts } from './texts.mjs';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const LLAMA3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN2 = LLAMA3.replace('\\p{N}{1,3}', '\\p{N}');
const WORD = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const TAIL = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";
const O200K = `${WORD}*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+${TAIL}|${WORD}+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*${TAIL}|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
const split = (pattern) => ({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false });
const added = (id, content, more = {}) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...more });

function letters() {
  const result = [];
  let next = 256;
  for (let byte = 0; byte < 256; ++byte) {
    const plain = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    result.push(String.fromCharCode(plain ? byte : next++));
  }
  return result;
}

// Merges of the most frequent pairs, as the pre-tokenizer of the configuration divides the corpus.
function learn(config, alphabet, count, suffix = '') {
  const probe = new Tokenizer({ ...config, added_tokens: [], post_processor: null, decoder: null, model: { type: 'BPE', vocab: {}, merges: [] } }, {});
  const text = probe.normalizer ? probe.normalizer(corpus) : corpus;
  const pieces = probe.pre_tokenizer ? probe.pre_tokenizer(text) : text.split(/(?=\u2581)/u);
  const words = pieces.map((piece) => { const word = [...piece]; word[word.length - 1] += suffix; return word; });
  const known = new Set(alphabet);
  const merges = [];
  while (merges.length < count) {
    const pairs = new Map();
    for (const word of words)
      for (let at = 0; at + 1 < word.length; ++at)
        if (known.has(word[at]) && known.has(word[at + 1])) pairs.set(`${word[at]} ${word[at + 1]}`, (pairs.get(`${word[at]} ${word[at + 1]}`) ?? 0) + 1);
    const [best] = [...pairs].reduce((a, b) => (b[1] > a[1] || (b[1] === a[1] && b[0] < a[0]) ? b : a), ['', 0]);
    if (!best) break;
    const [left, right] = best.split(' ');
    merges.push([left, right]);
    known.add(left + right);
    for (const word of words)
      for (let at = 0; at + 1 < word.length; ++at)
        if (word[at] === left && word[at + 1] === right) word.splice(at, 2, left + right);
  }
  return merges;
}

function bytePairs(config, { first = [], alphabet, count, special = [], suffix = '', old = false, ...model }) {
  const merges = learn(config, alphabet, count, suffix);
  const tokens = [...new Set([...first, ...alphabet, ...merges.map(([left, right]) => left + right)])];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  return {
    version: '1.0', truncation: null, padding: null,
    added_tokens: special.map(([content, more], index) => added(vocab[content] ?? tokens.length + index, content, more)),
    ...config,
    model: {
      type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: suffix || null, fuse_unk: false,
      byte_fallback: false, ignore_merges: false, vocab, merges: old ? merges.map((pair) => pair.join(' ')) : merges, ...model,
    },
  };
}

function begin(config, token) {
  const id = config.added_tokens.find((each) => each.content === token).id;
  const template = {
    type: 'TemplateProcessing', single: [{ SpecialToken: { id: token, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }], special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
  return { ...config, post_processor: config.post_processor ? { type: 'Sequence', processors: [config.post_processor, template] } : template };
}

const chat = [['<|begin|>'], ['<|end|>'], ['<|user|>'], ['<tool_call>', { special: false }], ['</tool_call>', { special: false, lstrip: true, rstrip: true }]];
const level = { normalizer: null, post_processor: bytes, decoder: bytes };
const base = { alphabet: letters(), count: 260, special: chat };
const byteTokens = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
const piecesAlphabet = ['\u2581', ...new Set([...corpus].filter((letter) => /[A-Za-zà-ÿ0-9.,а-яء-ي你好世界]/u.test(letter)))];
const pieceDecoder = { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: '\u2581' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }] };
const sentence = { first: ['<unk>', '<s>', '</s>', ...byteTokens], alphabet: piecesAlphabet, count: 220, special: [['<unk>'], ['<s>'], ['</s>']], unk_token: '<unk>', fuse_unk: true, byte_fallback: true };

function unigram() {
  const pick = random(77);
  const config = {
    normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }] },
    pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', split: true }, post_processor: null,
    decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', split: true },
  };
  const merges = learn({ ...config, pre_tokenizer: null, normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' } }, piecesAlphabet, 260);
  const tokens = [...new Set(['<unk>', '</s>', ...piecesAlphabet, ...merges.map(([left, right]) => left + right)])];
  return {
    version: '1.0', truncation: null, padding: null, added_tokens: [added(0, '<unk>'), added(1, '</s>')], ...config,
    model: { type: 'Unigram', unk_id: 0, vocab: tokens.map((token, id) => [token, id < 2 ? 0 : -(2 + pick(90000) / 10000) - (id > 250 ? 2 : 0)]), byte_fallback: false },
  };
}

const CONFIGS = {
  'gpt2': bytePairs({ ...level, pre_tokenizer: { ...bytes, use_regex: true } }, { ...base, old: true }),
  'gpt2-prefix-space': bytePairs({ ...level, pre_tokenizer: { ...bytes, use_regex: true, add_prefix_space: true } }, base),
  'llama3': begin(bytePairs({ ...level, pre_tokenizer: { type: 'Sequence', pretokenizers: [split(LLAMA3), bytes] } }, { ...base, ignore_merges: true }), '<|begin|>'),
  'qwen2': bytePairs({ ...level, normalizer: { type: 'NFC' }, pre_tokenizer: { type: 'Sequence', pretokenizers: [split(QWEN2), bytes] } }, base),
  'o200k': bytePairs({ ...level, pre_tokenizer: { type: 'Sequence', pretokenizers: [split(O200K), bytes] } }, base),
  'splits': bytePairs({ ...level, pre_tokenizer: { type: 'Sequence', pretokenizers: [split('\\p{N}{1,3}'), split('[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+'), split('[!-/:-~]?[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'), bytes] } }, base),
  'llama2': begin(bytePairs({ normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '\u2581' }, { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' }] }, pre_tokenizer: null, post_processor: null, decoder: pieceDecoder }, sentence), '<s>'),
  'metaspace': begin(bytePairs({ normalizer: null, pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'first', split: false }, post_processor: null, decoder: pieceDecoder }, sentence), '<s>'),
  'clip': bytePairs({ normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' }] }, pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" }, behavior: 'Removed', invert: true }, bytes] }, post_processor: null, decoder: null },
    { alphabet: [...letters(), ...letters().map((letter) => `${letter}</w>`)], count: 200, special: [['<|end|>']], suffix: '</w>', unk_token: '<|end|>' }),
  'unigram': unigram(),
};

function vectors(config, seed) {
  const tokenizer = new Tokenizer(config, { clean_up_tokenization_spaces: false });
  const contents = config.added_tokens.map((token) => token.content);
  const pick = random(seed);
  const all = texts(seed, 60);
  for (let index = 0; index < 12; ++index) all.push(['', 'x', ' y '][pick(3)] + contents[pick(contents.length)] + ['', ' ', '  and\n', 'é'][pick(4)] + contents[pick(contents.length)] + [' z', ''][pick(2)]);
  return all.map((text) => {
    const ids = tokenizer.encode(text, { add_special_tokens: false }).ids;
    // The package joins tokens without a decoder otherwise than the reference, so that case is left out.
    const decoded = ids.length > 0 && config.decoder ? tokenizer.decode(ids, { skip_special_tokens: true }) : undefined;
    return { text, ids, special: tokenizer.encode(text).ids.length - ids.length, decoded };
  });
}

let changed = 0;

function write(name, head, cases) {
  const file = join(FOLDER, `${name}.json`);
  const text = `{\n${head}  "cases": [\n${cases.map((each) => `    ${JSON.stringify(each)}`).join(',\n')}\n  ]\n}\n`;
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) { console.error(`${name}.json differs`); changed++; }
}

// What the language itself does, for our own normalization: syllables, marks in every order, letters that lose their form.
function forms() {
  const pick = random(4242);
  const marked = Array.from({ length: 60 }, () => {
    let text = '';
    for (let left = 1 + pick(12); left > 0; --left) {
      const [first, last] = [[0x41, 0x7A], [0xC0, 0x17F], [0x300, 0x36F], [0x300, 0x36F], [0x1100, 0x1112], [0x1161, 0x1175], [0x11A8, 0x11C2], [0xAC00, 0xD7A3], [0x1E00, 0x1EFF], [0x3041, 0x3099], [0x915, 0x93C], [0xFB00, 0xFB06], [0x2100, 0x214F], [0x5B0, 0x5BD], [0x1D15E, 0x1D164], [0x2F800, 0x2FA1D]][pick(16)];
      text += String.fromCodePoint(first + pick(last - first + 1));
    }
    return text;
  });
  return [...texts(9, 40), ...marked].map((text) => ({ text, NFC: text.normalize('NFC'), NFD: text.normalize('NFD'), NFKC: text.normalize('NFKC'), NFKD: text.normalize('NFKD') }));
}

Object.entries(CONFIGS).forEach(([name, config], index) => write(name, `  "tokenizer": ${JSON.stringify(config)},\n`, vectors(config, 1000 + index)));
write('forms', '', forms());
process.exitCode = changed ? 1 : 0;

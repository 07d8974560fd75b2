// Ask AsyncAPI's own parser about a document: prints what it has to say, fails on errors and warnings.
//
//     node validate_asyncapi.mjs FILE

import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';

const WARNING = 1; // 0 is an error, 2 and more are hints
const file = process.argv[2];
const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'), {
  source: file,
});
for (const { severity, path, message } of diagnostics) {
  if (severity <= WARNING) console.error(`${file}: ${path.join('.')}: ${message}`);
}
if (!document || diagnostics.some(({ severity }) => severity <= WARNING)) process.exit(1);
const names = document.channels().all().map((channel) => channel.address());
console.log(`${file}: ${names.length} channels, ${document.allMessages().all().length} messages`);

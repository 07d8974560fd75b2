// Print the current tier of every customer, from one topic of tierstream alone.
//
//     node current_tiers.mjs BROKER:PORT customer-tiers|tier-changes
//
// Needs nothing but kafkajs. Reads up to where the topic ends now, and stops.

import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';

const [broker, topic] = process.argv.slice(2);
if (!broker || !topic) {
  console.error('usage: node current_tiers.mjs BROKER:PORT TOPIC');
  process.exit(2);
}

const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR });
const tiers = new Map();

// Bring `tiers` up to one more record, of either topic.
function take(customer, value) {
  if (value === null) {
    tiers.delete(customer); // only in customer-tiers: the customer was erased
    return;
  }
  const told = JSON.parse(value.toString());
  if (told.grades) {
    tiers.set(customer, told.grades); // customer-tiers: all grades at once
  } else {
    tiers.set(customer, { ...tiers.get(customer), [told.grading]: told.to }); // tier-changes: one step
  }
}

// Where each partition ends now; those with nothing in them are left out.
const admin = kafka.admin();
await admin.connect();
const ends = new Map();
for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
  if (BigInt(high) > BigInt(low)) ends.set(partition, BigInt(high));
}
await admin.disconnect();

if (ends.size > 0) {
  // A group of its own, from the beginning. Committed records only: then each event is there once.
  const consumer = kafka.consumer({
    groupId: `current-tiers-${randomUUID()}`,
    readUncommitted: false,
    maxWaitTimeInMs: 500,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  // Told of each batch, also of those that hold nothing but the mark that ends a transaction.
  const done = new Promise((resolve) => {
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      if (BigInt(payload.lastOffset) + 1n >= (ends.get(payload.partition) ?? 0n)) {
        ends.delete(payload.partition);
        if (ends.size === 0) resolve();
      }
    });
  });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => take(message.key.toString(), message.value),
  });
  await done;
  await consumer.disconnect();
}

const byCustomer = (a, b) => (a < b ? -1 : 1);
for (const customer of [...tiers.keys()].sort(byCustomer)) {
  console.log(JSON.stringify({ customer_id: customer, grades: tiers.get(customer) }));
}

/** A real NATS server for tests; benchmarks have it too, and may not import tests. */
export { freePort, NO_NATS, newId, TestCable, TestNats, until } from '../bench/nats-peer.ts';

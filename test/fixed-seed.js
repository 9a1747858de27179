// Property tests (fast-check) start from one seed, so that a run can be repeated and CI fails only for a reason in the
// change at hand. SCT_TEST_SEED=N looks elsewhere; a failure prints the seed that found it.
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env.SCT_TEST_SEED ?? 20261121) });

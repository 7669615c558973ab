/** Users of the secure listeners of a test broker: SCRAM knows alice, PLAIN knows bob. */
export const kafkaPasswords = { alice: 'alice-pw', bob: 'bob-pw' }

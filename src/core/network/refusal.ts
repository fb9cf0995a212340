/** Why a job does not get what it asked of the network. Pure. */

/** Words for the model. */
export class Refusal extends Error {}

// Why a tier changed, in one line.
import { gradingLabel, measureLabel, reading, state, tierLabel } from "./state.js";
import { say } from "./words.js";

export function because(reason) {
  const of = reason.measure;
  if (reason.unit === "tier") {
    return say("became", { measure: gradingLabel(of), value: tierLabel(of, reason.after) });
  }
  const measure = state.policy.labels[of] ? measureLabel(of) : of;
  const value = reading(reason.after, reason.unit);
  if (typeof reason.before !== "number" || typeof reason.after !== "number") return say("became", { measure, value });
  return say(reason.after >= reason.before ? "rose" : "fell", { measure, value });
}

export const cause = (change) => say(`cause_${change.cause.kind}`);

export function why(change) {
  const reasons = change.reasons.slice(0, 2).map(because);
  return [...reasons, cause(change)].join(" · ");
}

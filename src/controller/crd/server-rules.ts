/** Shapes of rules that compare an object with what it was. */
import type { ServerRule } from './custom-resource.ts'

/** May be set once or never, and then neither changed nor removed. */
export function immutable(at: string, field: string, fix: string): ServerRule {
  return {
    at,
    rule:
      `has(self.${field}) == has(oldSelf.${field}) && ` +
      `(!has(self.${field}) || self.${field} == oldSelf.${field})`,
    message: `${at}.${field} cannot be changed: ${fix}`,
  }
}

/** Once there, it never gets smaller and never goes away. */
export function neverDecreases(at: string, field: string): ServerRule {
  return {
    at,
    rule: `!has(oldSelf.${field}) || ` + `has(self.${field}) && self.${field} >= oldSelf.${field}`,
    message: `${at}.${field} only grows: give it a larger number`,
  }
}

export function neverVanishes(at: string, field: string, fix: string): ServerRule {
  return {
    at,
    rule: `!has(oldSelf.${field}) || has(self.${field})`,
    message: `${at}.${field} cannot be removed: ${fix}`,
  }
}

// What one client of one shape with subqueries knows. The official client hands move-in and move-out
// events to its application; what they mean (http-api.md §24) is here, as strictly as the rest: a
// move must change something, and no row may contradict what its tags and conditions say.
import { StrictView } from './view.mjs'

/** The disjuncts of a row: each a list of slots, '' where a position is not part of it. */
const disjunctsOf = (tags) => tags.map((tag) => tag.split('/'))

export class MovingView extends StrictView {
  constructor(name) {
    super(name)
    this.why = new Map() // key -> {disjuncts, conditions}
    this.movesIn = 0
    this.movesOut = 0
    this.rowsMovedIn = 0
    this.rowsMovedOut = 0
  }

  applyOne(message) {
    if (message.headers.event !== undefined) return this.move(message)
    super.applyOne(message)
    const { operation, tags, active_conditions: conditions } = message.headers
    if (message.headers.control === 'must-refetch') this.why.clear()
    if (operation === undefined) return
    if (operation === 'delete') return this.why.delete(message.key)
    if (!Array.isArray(tags) || !Array.isArray(conditions)) {
      return this.object(message, 'a row without tags or conditions')
    }
    if (message.headers.is_move_in === true) this.rowsMovedIn += 1
    const why = { disjuncts: disjunctsOf(tags), conditions: [...conditions] }
    if (!this.included(why)) this.object(message, 'by its own conditions the row is not in')
    this.why.set(message.key, why)
  }

  included({ disjuncts, conditions }) {
    return disjuncts.some((slots) => slots.every((slot, p) => slot === '' || conditions[p] === true))
  }

  move(message) {
    const { event, patterns } = message.headers
    const into = event === 'move-in'
    if (into) this.movesIn += 1
    else this.movesOut += 1
    for (const { pos, value } of patterns) {
      for (const [key, why] of this.why) {
        if (!why.disjuncts.some((slots) => slots[pos] === value)) continue
        if (why.conditions[pos] === into) this.object({ key, headers: message.headers }, 'a move of what is so already')
        why.conditions[pos] = into
      }
    }
    for (const [key, why] of [...this.why]) {
      if (this.included(why)) continue
      this.why.delete(key)
      this.rows.delete(key)
      this.rowsMovedOut += 1
    }
  }
}

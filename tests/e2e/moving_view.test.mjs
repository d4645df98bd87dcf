// The view of a shape with subqueries must follow moves, and object where they are wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MovingView } from './moving_view.mjs'

const row = (operation, id, tags, conditions, more = {}) => ({
  key: String(id),
  value: { id },
  headers: { operation, tags, active_conditions: conditions, ...more },
})
const move = (event, ...patterns) => ({
  headers: { event, patterns: patterns.map(([pos, value]) => ({ pos, value })), txids: [] },
})
const view = (...messages) => {
  const result = new MovingView('v')
  result.apply(messages)
  return result
}
const ids = (seen) => [...seen.rows.keys()]

test('a move-out takes the rows of its value, and no others', () => {
  const seen = view(row('insert', 1, ['a'], [true]), row('insert', 2, ['b'], [true]), move('move-out', [0, 'a']))
  assert.deepEqual(ids(seen), ['2'])
  assert.deepEqual(seen.violations, [])
  assert.equal(seen.rowsMovedOut, 1)
})

test('a row that another disjunct holds stays, and a move-in makes its condition true again', () => {
  const rows = [row('insert', 1, ['a/', '/1'], [true, true])]
  assert.deepEqual(ids(view(...rows, move('move-out', [0, 'a']))), ['1'])
  const back = view(...rows, move('move-out', [0, 'a']), move('move-in', [0, 'a']))
  assert.deepEqual(back.violations, [])
  assert.deepEqual(back.why.get('1').conditions, [true, true])
})

test('rows of a move-in are inserts', () => {
  const seen = view(move('move-in', [0, 'a']), row('insert', 1, ['a'], [true], { is_move_in: true }))
  assert.deepEqual(ids(seen), ['1'])
  assert.equal(seen.rowsMovedIn, 1)
})

test('a move of what is so already, and a row that is not in, are violations', () => {
  assert.match(view(row('insert', 1, ['a'], [true]), move('move-in', [0, 'a'])).violations[0], /so already/)
  assert.match(view(row('insert', 1, ['a'], [false])).violations[0], /not in/)
  assert.match(view({ key: '1', value: {}, headers: { operation: 'insert' } }).violations[0], /without tags/)
})

test('must-refetch forgets the tags, too', () => {
  const seen = view(row('insert', 1, ['a'], [true]), { headers: { control: 'must-refetch' } }, row('insert', 1, ['a'], [true]))
  assert.deepEqual(seen.violations, [])
  assert.equal(seen.why.size, 1)
})

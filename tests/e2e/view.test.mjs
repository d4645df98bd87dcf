// The strict view must object: a view that forgives duplicates would let every lost or doubled
// change pass end to end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StrictView } from './view.mjs'

const change = (operation, id, value = {}, lsn, op) => ({
  key: `"public"."items"/"${id}"`,
  value: { id, ...value },
  headers: { operation, ...(lsn === undefined ? {} : { lsn: String(lsn), op_position: op }) },
})
const control = (word) => ({ headers: { control: word } })
const view = (...messages) => {
  const result = new StrictView('v')
  result.apply(messages)
  return result
}
const keyOf = (row) => String(row.id)

test('rows follow inserts, partial updates and deletes', () => {
  const seen = view(
    change('insert', 1, { a: 'x', b: 'y' }),
    change('insert', 2, { a: 'z', b: 'w' }, 10, 0),
    change('update', 1, { b: 'q' }, 10, 2),
    change('delete', 2, {}, 11, 0),
    control('up-to-date'),
  )
  assert.deepEqual(seen.violations, [])
  assert.equal(seen.upToDates, 1)
  assert.equal(seen.difference([{ id: 1, a: 'x', b: 'q' }], keyOf), null)
})

test('an insert of a present key is a violation', () => {
  assert.match(view(change('insert', 1), change('insert', 1)).violations[0], /insert of a key/)
})

test('an update or delete of an absent key is a violation', () => {
  assert.match(view(change('update', 1)).violations[0], /update of a key/)
  assert.match(view(change('delete', 1)).violations[0], /delete of a key/)
})

test('a repeated or earlier position is a violation', () => {
  const repeated = view(change('insert', 1, {}, 10, 2), change('update', 1, {}, 10, 2))
  assert.match(repeated.violations[0], /position does not grow beyond 10_2/)
  const earlier = view(change('insert', 1, {}, 10, 0), change('update', 1, {}, 9, 8))
  assert.equal(earlier.violations.length, 1)
})

test('positions compare as numbers', () => {
  const seen = view(change('insert', 1, {}, 9, 8), change('update', 1, {}, 9, 10), change('update', 1, {}, 10, 0))
  assert.deepEqual(seen.violations, [])
})

test('must-refetch empties the view and is counted', () => {
  const seen = view(change('insert', 1, {}, 10, 0), control('must-refetch'), change('insert', 1))
  assert.equal(seen.mustRefetches, 1)
  assert.deepEqual(seen.violations, [])
})

test('every kind of difference from Postgres is named', () => {
  const seen = view(change('insert', 1, { a: 'x' }))
  assert.match(seen.difference([], keyOf), /row 1 is not in Postgres/)
  assert.match(seen.difference([{ id: 1, a: 'y' }], keyOf), /has a x, Postgres has y/)
  assert.match(seen.difference([{ id: 1, a: 'x' }, { id: 2, a: 'x' }], keyOf), /row 2 is missing/)
})

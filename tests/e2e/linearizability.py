"""Checks recorded histories of one object, of lists and of watches. Pure functions: no server needed.

An object is a register that may be absent: its state is a value or None. An operation:
  read()          -> the state
  create(v)       -> True (it was absent, now v) or False (it was there)
  put(v)          -> True (it was there, now v) or False (it was absent)
  replace(old, v) -> True (it was old, now v) or False (it was not)
  delete()        -> True (it was there, now absent) or False (it was absent)
An operation whose answer is not known may have taken effect at any time after its call, or never.

Source: Wing and Gong, Testing and Verifying Concurrent Objects (1993); Lowe, Testing for
Linearizability (2017), for the memory of configurations that have been seen.
"""
import dataclasses

UNKNOWN = object()
NEVER = float('inf')


@dataclasses.dataclass
class Operation:
    name: str
    call: float           # when it was sent
    end: float            # when it was answered; NEVER if it was not
    arguments: tuple = ()
    result: object = UNKNOWN


def apply(operation, state):
    """(result, new state) of an operation on a register."""
    name, arguments = operation.name, operation.arguments
    if name == 'read':
        return state, state
    if name == 'create':
        return (False, state) if state is not None else (True, arguments[0])
    if name == 'put':
        return (False, state) if state is None else (True, arguments[0])
    if name == 'replace':
        return (False, state) if state != arguments[0] else (True, arguments[1])
    if name == 'delete':
        return (False, state) if state is None else (True, None)
    raise ValueError(name)


def is_linearizable(operations, state=None):
    """True if there is an order of the operations in which each gives its result, and none that ended
    before another was called comes after it."""
    # Reads without an answer say nothing.
    todo = [one for one in operations if not (one.name == 'read' and one.result is UNKNOWN)]
    todo.sort(key=lambda one: one.call)
    known = sum(1 << i for i, one in enumerate(todo) if one.result is not UNKNOWN)
    seen, stack = set(), [(0, state)]
    while stack:
        done, state = stack.pop()
        if done & known == known:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        first = (~done & done + 1).bit_length() - 1  # all before it are done
        # Whatever comes next was called before the first end of those that are left.
        first_end, last = NEVER, first
        while last < len(todo) and todo[last].call <= first_end:
            if not done >> last & 1:
                first_end = min(first_end, todo[last].end)
            last += 1
        candidates = [i for i in range(first, last) if not done >> i & 1 and todo[i].call <= first_end]
        # What was answered early is tried first, what may never have happened last.
        for i in sorted(candidates, key=lambda i: todo[i].end, reverse=True):
            result, after = apply(todo[i], state)
            if todo[i].result is UNKNOWN or result == todo[i].result:
                stack.append((done | 1 << i, after))
    return False


@dataclasses.dataclass(frozen=True)
class Event:
    revision: int
    kind: str    # ADDED, MODIFIED, DELETED
    name: str
    value: str


def merge_watches(watches):
    """The changes that all watchers together saw, in order. A watcher is a list of stretches: lists of
    events, each without a gap, which begin after a revision: [(after, until, events)]. Raises
    AssertionError if one saw something twice, out of order, or missed what another saw."""
    all_events = {}
    for stretches in watches:
        for _, _, events in stretches:
            for event in events:
                known = all_events.setdefault(event.revision, event)
                assert known == event, 'two watchers saw different changes: %r, %r' % (known, event)
    ordered = [all_events[revision] for revision in sorted(all_events)]
    for stretches in watches:
        last = 0
        for after, until, events in stretches:
            assert after >= last, 'a stretch begins before the last one ended'
            for before, event in zip([after] + [one.revision for one in events], events):
                assert before < event.revision, 'out of order or twice: %r after %d' % (event, before)
            expected = [one for one in ordered if after < one.revision <= until]
            missing = set(expected) - set(events)
            assert not missing, 'missed between %d and %d: %r' % (after, until, sorted(missing, key=lambda e: e.revision)[:5])
            last = until
    return ordered


def covered(watches):
    """The ranges (after, until) of revisions that some watcher followed without a gap, ascending and apart."""
    ranges = []
    for after, until in sorted((after, until) for stretches in watches for after, until, _ in stretches):
        if ranges and after <= ranges[-1][1]:
            ranges[-1] = ranges[-1][0], max(until, ranges[-1][1])
        else:
            ranges.append((after, until))
    return ranges


def check_changes(ordered, state):
    """Each kind of event fits the state before it."""
    state = dict(state)
    for event in ordered:
        was = event.name in state
        assert was == (event.kind != 'ADDED'), 'does not follow from what was before: %r' % (event,)
        if event.kind == 'DELETED':
            del state[event.name]
        else:
            state[event.name] = event.value
    return state


def state_at(ordered, revision, state):
    """{name: value} after all changes up to `revision`."""
    state = dict(state)
    for event in ordered:
        if event.revision > revision:
            break
        if event.kind == 'DELETED':
            state.pop(event.name, None)
        else:
            state[event.name] = event.value
    return state


def check_lists(ordered, lists, state):
    """Each list (revision, {name: value}) is the state at its revision."""
    for revision, items in lists:
        expected = state_at(ordered, revision, state)
        assert items == expected, 'the list at %d is no snapshot: %r' % (revision, sorted(set(items.items()) ^ set(expected.items()))[:6])

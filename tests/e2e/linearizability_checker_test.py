"""The checker accepts and refuses what it should.

usage: linearizability_checker_test.py
"""
import itertools
import random
import unittest

from linearizability import NEVER, UNKNOWN, Event, Operation, apply, check_changes, check_lists, covered, is_linearizable, merge_watches


def op(name, call, end, *arguments, result=UNKNOWN):
    return Operation(name, call, end, arguments, result)


class Registers(unittest.TestCase):
    def test_one_after_the_other(self):
        history = [op('create', 0, 1, 'a', result=True), op('read', 2, 3, result='a'), op('put', 4, 5, 'b', result=True),
                   op('read', 6, 7, result='b'), op('delete', 8, 9, result=True), op('read', 10, 11, result=None)]
        self.assertTrue(is_linearizable(history))

    def test_a_stale_read_is_refused(self):
        history = [op('create', 0, 1, 'a', result=True), op('put', 2, 3, 'b', result=True), op('read', 4, 5, result='a')]
        self.assertFalse(is_linearizable(history))
        history[-1].call = 2.5  # it overlaps the write
        self.assertTrue(is_linearizable(history))

    def test_a_lost_write_is_refused(self):
        history = [op('create', 0, 1, 'a', result=True), op('read', 2, 3, result=None)]
        self.assertFalse(is_linearizable(history))

    def test_a_read_that_goes_back_is_refused(self):
        history = [op('create', 0, 1, 'a', result=True), op('put', 2, 9, 'b', result=True), op('read', 3, 4, result='b'),
                   op('read', 5, 6, result='a')]
        self.assertFalse(is_linearizable(history))

    def test_of_two_replacements_of_one_value_one_fails(self):
        history = [op('create', 0, 1, 'a', result=True), op('replace', 2, 9, 'a', 'b', result=True), op('replace', 2, 9, 'a', 'c', result=True)]
        self.assertFalse(is_linearizable(history))
        history[-1].result = False
        self.assertTrue(is_linearizable(history))

    def test_two_creates_cannot_both_succeed(self):
        history = [op('create', 0, 5, 'a', result=True), op('create', 0, 5, 'b', result=True)]
        self.assertFalse(is_linearizable(history))

    def test_what_was_not_answered_may_happen_late_or_never(self):
        late = [op('create', 0, 1, 'a', result=True), op('put', 2, NEVER, 'b'), op('read', 5, 6, result='a'), op('read', 7, 8, result='b')]
        self.assertTrue(is_linearizable(late))
        never = late[:3] + [op('read', 7, 8, result='a')]
        self.assertTrue(is_linearizable(never))
        twice = late + [op('put', 9, 10, 'c', result=True), op('read', 11, 12, result='b')]
        self.assertFalse(is_linearizable(twice))
        early = [op('create', 0, 1, 'a', result=True), op('read', 2, 3, result='b'), op('put', 4, NEVER, 'b')]
        self.assertFalse(is_linearizable(early))

    def test_it_agrees_with_trying_all_orders(self):
        rng, verdicts = random.Random(7), set()
        for _ in range(1500):
            history = []
            for _ in range(5):
                call = rng.random() * 6
                name = rng.choice(['read', 'create', 'put', 'replace', 'delete'])
                arguments = {'read': 0, 'delete': 0, 'create': 1, 'put': 1, 'replace': 2}[name]
                result = rng.choice([None, 'a', 'b'] if name == 'read' else [True, False])
                history.append(op(name, call, call + rng.random() * 4, *rng.choices('ab', k=arguments), result=result))
            verdict = is_linearizable(history)
            verdicts.add(verdict)
            self.assertEqual(verdict, any(self.fits(order) for order in itertools.permutations(history)), history)
        self.assertEqual(verdicts, {True, False})

    @staticmethod
    def fits(order):
        state = None
        for i, one in enumerate(order):
            if any(later.end < one.call for later in order[i + 1:]):
                return False
            result, state = apply(one, state)
            if result != one.result:
                return False
        return True


A, B, C = Event(3, 'ADDED', 'x', 'a'), Event(5, 'MODIFIED', 'x', 'b'), Event(8, 'DELETED', 'x', 'b')


class Watches(unittest.TestCase):
    def refuses(self, function, *arguments):
        with self.assertRaises(AssertionError):
            function(*arguments)

    def test_watchers_that_agree(self):
        self.assertEqual(merge_watches([[(2, 9, [A, B, C])], [(2, 4, [A]), (4, 9, [B, C])]]), [A, B, C])
        self.assertEqual(check_changes([A, B, C], {}), {})

    def test_ranges_that_nobody_followed_are_known(self):
        self.assertEqual(covered([[(1, 9, []), (12, 20, [])], [(9, 10, []), (13, 25, [])]]), [(1, 10), (12, 25)])

    def test_what_one_missed(self):
        self.refuses(merge_watches, [[(2, 9, [A, B, C])], [(2, 9, [A, C])]])
        self.refuses(merge_watches, [[(2, 9, [A, B, C])], [(2, 4, [A]), (5, 9, [C]), (9, 12, [B])]])

    def test_what_came_twice_or_out_of_order(self):
        self.refuses(merge_watches, [[(2, 9, [A, B, B, C])]])
        self.refuses(merge_watches, [[(2, 9, [B, A, C])]])
        self.refuses(merge_watches, [[(2, 9, [A, B, C])], [(2, 9, [A, Event(5, 'MODIFIED', 'x', 'other'), C])]])

    def test_a_gap_after_an_expired_version_is_no_loss(self):
        merge_watches([[(2, 9, [A, B, C])], [(2, 4, [A]), (6, 9, [C])]])

    def test_kinds_of_events_follow_from_the_state(self):
        self.refuses(check_changes, [B], {})
        self.refuses(check_changes, [A], {'x': 'old'})
        self.refuses(check_changes, [A, C, C], {})

    def test_lists_are_snapshots(self):
        check_lists([A, B, C], [(2, {}), (3, {'x': 'a'}), (4, {'x': 'a'}), (7, {'x': 'b'}), (8, {})], {})
        self.refuses(check_lists, [A, B, C], [(5, {'x': 'a'})], {})
        self.refuses(check_lists, [A, B, C], [(5, {'x': 'b', 'y': 'a'})], {})


if __name__ == '__main__':
    unittest.main(verbosity=2)

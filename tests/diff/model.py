# SPDX-License-Identifier: Apache-2.0
"""Prints rule sets with the verdict of the executable model, for diff_model. use: model.py COMPOSITION.PY [PAIRS]

Every single policy of up to two rules (all algorithms, targets that hold or are unsure, every effect, truth and proof), and
PAIRS pairs of them drawn at random. A line: policies separated by `;`, each algorithm and target, then its rules: `my ay sup;fu tn = deny`.
"""
import importlib.util
import itertools
import random
import sys

sys.dont_write_bytecode = True


def load(path):
    spec = importlib.util.spec_from_file_location('composition', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def policies(model):
    rules = [rule for effect, truth in itertools.product(model.RANK, 'ynu')
             for rule in ([(effect, truth, False), (effect, truth, True)] if effect == 'step_up' else [(effect, truth, False)])]
    bodies = [body for length in range(3) for body in itertools.product(rules, repeat=length)]
    return [(algorithm, target, list(body)) for algorithm in model.ALGORITHMS for target in 'yu' for body in bodies]


def line(model, chosen):
    words = [' '.join([a[0] + t] + [e[0] + u + ('p' if p else '') for e, u, p in rules]) for a, t, rules in chosen]
    return ';'.join(words) + ' = ' + model.verdict(chosen)


def main():
    model = load(sys.argv[1])
    singles = policies(model)
    dice = random.Random(16)
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    print(line(model, []))
    for chosen in itertools.chain(([one] for one in singles), ([dice.choice(singles), dice.choice(singles)] for _ in range(pairs))):
        print(line(model, chosen))


main()

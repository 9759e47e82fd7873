# SPDX-License-Identifier: GPL-2.0
"""The rows that guests print, see lib.sh, and what they add to a packet."""
TOLERANCE = 0.005
NOTHING = 'no module'
FLOOR = 'empty hook'


class Row:
    """One row: what packets cost on a path in a situation."""

    def __init__(self, release, words):
        self.release = release
        self.path, self.what, frame, flows, packets, rounds, first, second = words
        self.frame, self.flows, self.packets, self.rounds = int(frame), int(flows), int(packets), int(rounds)
        self.runs = [None if run == '-' else int(run) / self.packets for run in (first, second)]
        self.added = self.over = None

    def refused(self):
        """Two runs that disagree, or one that failed."""
        return None in self.runs or abs(self.runs[0] - self.runs[1]) > TOLERANCE * min(self.runs)

    def cost(self):
        """Instructions per packet, all of its way."""
        return None if self.refused() else sum(self.runs) / 2

    def place(self):
        """Rows of one place can be compared."""
        return self.release, self.path, self.frame, self.flows

    def shown(self):
        """The figure for people."""
        if self.refused() or self.added is None:
            return 'refused'
        text = f'{self.added:+.0f}' if self.what != NOTHING else f'{self.cost():.0f}'
        return text.replace('-0', '0').replace('+0', '0') if text in ('-0', '+0') else text


def read(arguments):
    """All rows and facts of all guests; of what was measured again, the last."""
    rows, facts = {}, {}
    for argument in arguments:
        release, _, path = argument.partition('=')
        with open(path, encoding='utf-8', errors='replace') as lines:
            for line in lines:
                words = line.rstrip('\n').split('\t')
                if words[0] == 'row':
                    row = Row(release, words[1:])
                    rows[row.place() + (row.what,)] = row
                elif words[0] == 'fact':
                    facts[release, words[1]] = [release] + words[1:]
    return list(rows.values()), list(facts.values())


def compare(rows):
    """Fills in what each row adds over no module, and over empty hooks. Returns complaints."""
    nothing = {row.place(): row for row in rows if row.what == NOTHING}
    floor = {row.place(): row for row in rows if row.what == FLOOR}
    complaints = []
    for row in rows:
        base = nothing.get(row.place())
        if row.refused():
            complaints.append(f'{row.release}: {row.path}: {row.what}: the two runs disagree: {row.runs}')
        elif base is None or base.refused():
            complaints.append(f'{row.release}: {row.path}: {row.what}: nothing to compare with')
        else:
            row.added = row.cost() - base.cost()
            least = floor.get(row.place())
            if least is not None and not least.refused() and row.what not in (NOTHING, FLOOR):
                row.over = row.cost() - least.cost()
    return complaints

"""What every client does, and how it says what came of it.

A script is given a file with its description, one JSON object: `base` (the gateway or the simulator; a venue's own
address is base, slash, venue), `ca_file`, `venue`, `key`, `secret`, perhaps `passphrase`, and the venue's entry of
`venues.json`. It prints `{"library": …, "steps": {name: …}}`; a step is `{"ok": value}`, or the class, the ancestors
and the message of what the library raised.
"""

import json
import sys

# Nobody's address: a withdrawal to it can only be refused.
ADDRESS = "0x000000000000000000000000000000000000dEaD"


class Scenario:
    """The steps of one run."""

    def __init__(self, library):
        with open(sys.argv[1], encoding="utf-8") as description:
            self.about = json.load(description)
        self.library = library
        self.steps = {}

    def base(self):
        """The address that takes the venue's place."""
        return "{base}/{venue}".format(**self.about)

    def step(self, name, work):
        """Does one thing, and remembers its value or what was raised."""
        try:
            return self.passed(name, work())
        except Exception as raised:
            return self.failed(name, raised)

    async def step_async(self, name, work):
        """As `step`, with a coroutine."""
        try:
            return self.passed(name, await work())
        except Exception as raised:
            return self.failed(name, raised)

    def passed(self, name, value):
        self.steps[name] = {"ok": value}
        return value

    def failed(self, name, raised):
        ancestors = [ancestor.__name__ for ancestor in type(raised).__mro__[1:-1]]
        self.steps[name] = {"raised": type(raised).__name__, "ancestors": ancestors, "message": str(raised)}

    def report(self):
        """Prints what came of it."""
        print(json.dumps({"library": self.library, "steps": self.steps}))

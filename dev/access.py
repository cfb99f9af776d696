#!/usr/bin/env python3
"""Judge with axe-core whether everybody can use our screens (WCAG 2.1 AA): each screen and window of the demo company.

What Odoo itself draws wrong is in `CORE`, with the reason. The pages of the debtor are judged by the tests of `portal`.
`dev/access.py worklist send` takes only the screens with these words in their name.
"""

import json
import sys
import time

from env import bootstrap, database, node, runtime, say, session
from screenshots import Page, prepare

#: Found in nodes that match the selector, and not ours: `{rule: [(selector, reason)]}`.
CORE = {}
#: What opens a window: a method of the model, called for the first records of the domain.
WINDOWS = [
    ("account.move", "action_dunning_send", [["dunning_notice_count", ">", 0]]),
]
JUDGE = """
(async () => {
    const found = await axe.run(%s, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']});
    const core = %s;
    const nodes = found.violations.flatMap((rule) => rule.nodes.map((node) => ({rule: rule.id, node})));
    return JSON.stringify(nodes.filter(({rule, node}) => {
        const element = document.querySelector(node.target.at(-1));
        return !(core[rule] || []).some(([selector]) => element && element.closest(selector));
    }).map(({rule, node}) => `${rule}: ${node.html.slice(0, 300)} [${node.target}] ${node.any.concat(node.all).map((a) => a.message).join('; ').slice(0, 200)}`));
})()
"""


class Judge(Page):
    def evaluate(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"])[:600])
        return answer["result"].get("value")

    def do(self, action, options="{}"):
        self.evaluate(
            "(async () => {const {action} = odoo.__WOWL_DEBUG__.root.env.services;"
            f"await action.doAction({action}, {options}); return true}})()"
        )
        time.sleep(1.2)

    def judge(self, within="document"):
        return json.loads(self.evaluate(JUDGE % (within, json.dumps(CORE))))

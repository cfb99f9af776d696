"""One scale of colours: what they say of a state is the same on every screen."""

import re

from lxml import etree

from odoo.tests import tagged

from ...models.agreement import dunning_arrangement_instalment, dunning_promise
from ...models.kernel import colors
from ..common import TODAY, DunningCommon, days

# States that are never good news, and those in which something is waited for, by model.
BAD = {
    'dunning.arrangement': {'broken'}, 'dunning.arrangement.instalment': {'late', 'missed'},
    'dunning.promise': {'broken', 'partly'}, 'dunning.hold': {'overdue'},
    'dunning.notice': {'error', 'undelivered'}, 'dunning.call': {'disputed', 'refuses', 'hardship'},
    'dunning.debtor': {'broken', 'worse'},
}
WAITING = {
    'dunning.arrangement': {'offered', 'signed'}, 'dunning.promise': {'running'}, 'dunning.hold': {'active'},
    'dunning.call': {'disputed', 'hardship', 'awaiting_approval'}, 'dunning.debtor': {'offered', 'signed', 'promise'},
}


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestColors(DunningCommon):

    def get_colored(self):
        """Yield ``(model, colour, the states it is given to)`` of all views of the addon."""
        views = self.env['ir.ui.view'].search([
            ('model', 'in', list(BAD)), ('type', 'in', ('list', 'form', 'kanban')), ('inherit_id', '=', False)])
        for view in views:
            for node in etree.fromstring(view.arch).iter(etree.Element):
                for name, value in node.attrib.items():
                    if name.startswith('decoration-'):
                        yield view.model, name.removeprefix('decoration-'), set(
                            re.findall(r"'(\w+)'", re.sub(r"not in \([^)]*\)", "", value)))
                    elif node.tag == 'progressbar' and name == 'colors':
                        for state, color in re.findall(r'"(\w+)": *"(\w+)"', value):
                            yield view.model, color, {state}

    def test_bad_news_is_never_green_and_what_waits_has_its_own_colour(self):
        found = list(self.get_colored())
        self.assertGreater(len(found), 20)
        for model, color, states in found:
            with self.subTest(model=model, color=color):
                if color == 'success':
                    self.assertFalse(states & (BAD[model] | WAITING.get(model, set())))
                if color in ('warning', 'danger', 'info'):
                    self.assertFalse(states & WAITING.get(model, set()))

    def test_calendars_go_from_calm_to_serious(self):
        for room, model in (
            (dunning_arrangement_instalment, 'dunning.arrangement.instalment'), (dunning_promise, 'dunning.promise'),
        ):
            states = dict(self.env[model]._fields['state'].selection)
            self.assertEqual(set(room.COLORS), set(states))
            self.assertEqual(len(set(room.COLORS.values())), len(states), "each state has its own colour")
            for state in BAD[model]:
                self.assertNotIn(room.COLORS[state], (colors.DONE, colors.CALM, colors.WAITS))
        self.invoice(due=TODAY - days(20))
        promise = self.on(TODAY, self.env['dunning.promise'])._make(self.company, self.business, TODAY + days(5))
        self.assertEqual(promise.color, colors.WAITS)

    def test_a_call_is_done_and_not_sent(self):
        self.invoice(due=TODAY - days(20))
        self.ladder.approval = 'automatic'
        self.reminder.channel = 'phone'
        notice = self.make_notices(TODAY)
        self.on(TODAY, self.env['dunning.dispatcher'])._dispatch(notice)
        self.assertEqual(notice.state_text, "To Do")
        self.on(TODAY, notice).action_done()
        self.assertEqual((notice.state, notice.state_text), ('sent', "Done"))

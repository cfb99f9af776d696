"""A restored backup and a copy do not send again what left already: a file beside the database remembers."""

import json
import tempfile
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import config

from ..common import TODAY, DunningCommon, days

DUE = TODAY + days(5)


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestMarker(DunningCommon):

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.Marker = self.env['dunning.marker']
        self.patch(self.registry['dunning.marker'], '_is_kept', lambda self: True)
        # What is committed cannot be seen in a test: another look at the database is one at its own transaction.
        self.startPatcher(patch.object(self.registry, 'cursor', lambda *args, **kwargs: nullcontext(self.env.cr)))
        self.startPatcher(patch.dict(config.options, {'data_dir': folder.name}))

    def file(self):
        return self.Marker._get_path()

    def leave(self, name="Bakker BV", *, wait=False):
        """Let one reminder leave, for certain; or let it wait in the mail queue."""
        self.invoice(self.make_debtor(name))
        notice = self.dun(DUE, wait=wait).filtered(lambda notice: notice.partner_id.name == name)
        self.env.flush_all()
        self.env.cr.postcommit.run()
        return notice

    def assertWaits(self, words):
        self.invoice(self.make_debtor("Wacht BV"))
        notice = self.dun(DUE)
        self.assertEqual(set(notice.mapped('state')), {'queued'})
        self.assertIn(words, notice[0].waiting_reason)
        self.assertIn("After a Restore", notice[0].waiting_reason)
        return notice

    def test_what_leaves_is_written_down(self):
        self.assertFalse(self.file().exists())
        first = self.leave()
        self.assertEqual(first.state, 'sent')
        self.assertEqual(self.file().stem, self.env['ir.config_parameter'].get_param('database.uuid'))
        self.assertEqual(json.loads(self.file().read_text())['number'], first.name)
        second = self.leave("Molen BV")
        self.assertEqual(json.loads(self.file().read_text())['number'], second.name)
        self.assertEqual(self.Marker._explain(), '')

    def test_what_was_taken_back_is_not_written_down(self):
        before = self.leave()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.invoice(self.make_debtor("Terug BV"))
            self.dun(DUE)
            raise ZeroDivisionError
        self.env.cr.postcommit.run()
        self.assertEqual(json.loads(self.file().read_text())['number'], before.name)

    def test_an_older_backup_waits(self):
        self.leave()
        for values in (
            {'notice': 10 ** 8, 'number': 'AM2099-00001', 'on': '2026-11-29 10:00:00'},
            {'notice': self.notices_of(self.env['account.move']).id or 0, 'number': 'AM2099-00002', 'on': False},
        ):
            self.file().write_text(json.dumps({**values, 'notice': values['notice'] or 10 ** 8}))
            self.assertIn(values['number'], self.assertWaits("does not know that")[0].waiting_reason)

    def test_a_copy_of_a_notice_that_had_not_left_waits(self):
        self.leave()
        self.invoice(self.make_debtor("Later BV"))
        proposal = self.make_notices(DUE)
        self.file().write_text(json.dumps({'notice': proposal[0].id, 'number': proposal[0].name, 'on': '2026-11-29'}))
        self.assertWaits(proposal[0].name)

    def test_another_uuid_or_no_file_waits(self):
        self.leave()
        file, content = self.file(), self.file().read_text()
        self.env['ir.config_parameter'].set_param('database.uuid', 'c0ffee00-0000-0000-0000-000000000001')
        self.assertNotEqual(self.file(), file)
        self.assertWaits("moved or copied")
        self.file().write_text("not what we wrote")
        self.assertWaits("moved or copied")
        self.file().write_text(content)
        self.assertEqual(self.Marker._explain(), '')

    def test_before_the_first_letter_nothing_waits(self):
        self.assertEqual(self.Marker._explain(), '')
        self.assertTrue(self.file().exists(), "A letter of a process that is stopped right after it is no secret")

    def test_a_manager_confirms(self):
        self.ladder.approval = 'automatic'
        left = self.leave(wait=True)
        self.file().unlink()
        queued = self.assertWaits("moved or copied")
        mail = left.mail_id.sudo()
        self.assertEqual(mail.state, 'outgoing')
        mail.send(auto_commit=False)
        held = mail._hold_dunning_mails()
        self.assertEqual(held, mail, "It may have left already")
        for group, may in (('account.group_account_invoice', False), ('account.group_account_manager', True)):
            user = new_test_user(self.env, f'marker_{may}', groups=group, company_id=self.company.id)
            Restore = self.env['dunning.restore'].with_user(user)
            if not may:
                with self.assertRaises(AccessError):
                    Restore.create({})
                continue
            with self.assertRaises(UserError):
                Restore.create({'until': fields.Datetime.now() + timedelta(days=1)}).action_confirm()
            wizard = Restore.create({})
            self.assertTrue(wizard.reason)
            wizard.action_confirm()
        self.assertEqual(self.Marker._explain(), '')
        self.assertEqual((set(queued.mapped('state')), mail.state), ({'draft'}, 'exception'))
        # What the next planning finds is proposed, whatever the policy says.
        today = self.company._dunning_today()
        self.company.dunning_planned_on = today - days(1)
        self.invoice(self.make_debtor("Nieuw BV"), due=today - days(10))
        self.assertEqual(set(self.make_notices(today).mapped('state')), {'draft'})
        self.company.dunning_planned_on = today + days(1)
        self.assertFalse(self.Marker._was_restored(self.company))
        with self.assertRaises(UserError):
            Restore.create({}).action_confirm()

    def test_a_folder_that_cannot_be_written_stops_nothing(self):
        with patch.object(Path, 'mkdir', side_effect=OSError("full")), self.assertLogs(level='ERROR'):
            self.assertEqual(self.leave().state, 'sent')

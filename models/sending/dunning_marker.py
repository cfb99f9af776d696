"""What left last, in a file beside the database.

A restored backup does not remember what left after it was made, and a copy does not know that the other one sends as
well: both would send it again. So what left last is also written to a file in the data folder, named after the
database's uuid. Where the file knows more than the database, or there is none although letters were sent, nothing
leaves until a person confirmed up to when it had.
"""

import json
import logging
import os
import re
from datetime import date
from pathlib import Path

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.modules import module
from odoo.tools import config

from ..kernel.formats import format_day

_logger = logging.getLogger(__name__)
FOLDER = 'l10n_nl_dunning'
#: Until when letters had left when a person confirmed it (UTC).
RESTORED = 'l10n_nl_dunning.restored_until'
#: Notices of which something left; a letter can be made again after that.
LEFT = Domain('left_data', '!=', False) | Domain('state', 'not in', ('draft', 'queued', 'error', 'cancelled'))


class DunningMarker(models.AbstractModel):
    _name = 'dunning.marker'
    _description = "What Left Last"

    @api.model
    def _is_kept(self):
        """Return whether the file counts: tests take back what they do, and leave it alone."""
        return not module.current_test

    @api.model
    def _get_path(self):
        # sudo: the name that this database has for the file
        uuid = self.env['ir.config_parameter'].sudo().get_param('database.uuid') or ''
        return Path(config['data_dir'], FOLDER, f"{re.sub(r'[^0-9A-Za-z-]', '', uuid)}.json")

    @api.model
    def _read_file(self):
        """Return what the file says: ``notice`` (id), ``number``, ``on``; {} before the first letter; None: no file."""
        try:
            values = json.loads(self._get_path().read_text())
        except (OSError, ValueError):
            return None
        return values if isinstance(values, dict) else None

    @api.model
    def _write_file(self, path, values):
        """Write the file in one go, so that nobody reads half of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f'.{os.getpid()}')
        half.write_text(json.dumps(values))
        half.replace(path)

    @api.model
    def _try_to_write(self, path, values):
        try:
            self._write_file(path, values)
        except OSError:
            _logger.exception("What left last could not be written to %s", path)

    @api.model
    def _get_last(self, wanted=Domain.TRUE):
        """Return what the file is to say of this database, or of some notices; None when nothing of them left."""
        # sudo: of all companies
        last = self.env['dunning.notice'].sudo().search(LEFT & wanted, order='id desc', limit=1)
        return {
            'notice': last.id, 'number': last.name, 'on': fields.Datetime.to_string(fields.Datetime.now()),
        } if last else None

    @api.model
    def _note(self, notices):
        """Write down, once this transaction is certain, what left in it."""
        if not (notices and self._is_kept()):
            return
        callbacks, path = self.env.cr.postcommit, self._get_path()
        noted = callbacks.data.setdefault(self._name, set())
        noted.update(notices.ids)
        if len(noted) > len(notices):
            return

        @callbacks.add
        def write():
            # What a savepoint took back did not leave.
            with self.env.registry.cursor() as cr:
                last = self.with_env(self.env(cr=cr))._get_last(Domain('id', 'in', list(noted)))
            if last:
                self._try_to_write(path, last)

    @api.model
    def _explain(self):
        """Return why nothing may leave until a person confirmed what had left, or an empty string."""
        if not self._is_kept() or self._name in self.env.cr.postcommit.data:
            return ''
        marker = self._read_file()
        if marker is None:
            if not self._get_last():
                # From now on it says something that there is no file.
                self._try_to_write(self._get_path(), {})
                return ''
            what = self.env._(
                "Letters were sent from this database, and this server has no note of that: it was moved or copied.")
        elif not marker.get('notice') or self._knows(marker):
            return ''
        else:
            day = fields.Datetime.to_datetime(marker.get('on'))
            what = self.env._(
                "%(number)s left on %(day)s, and this database does not know that: an older backup was restored, or a "
                "copy of it sends as well.", number=marker.get('number') or '', day=format_day(self.env, day))
        return self.env._(
            "%s Nothing leaves until an accounting manager confirms up to when letters had left, under Configuration ‣ "
            "After a Restore.", what)

    @api.model
    def _knows(self, marker):
        """Return whether the database knows what left last; another process may have sent it a moment ago."""
        known = Domain('id', '=', marker['notice']) & Domain('name', '=', marker.get('number'))
        if self._get_last(known):
            return True
        with self.env.registry.cursor() as cr:
            return bool(self.with_env(self.env(cr=cr))._get_last(known))

    @api.model
    def _confirm(self, until):
        """Let letters leave again; a person says up to when they had left.

        What was about to leave is looked at again by a person, and so is what the next planning finds: the backup does
        not know what the debtors got since. E-mails that waited may have left, and wait for a person as well.

        :param datetime until: UTC
        """
        reason = self._explain()
        # sudo: of every company: the manager of one answers for what all of them send
        queued = self.env['dunning.notice'].sudo().search([('state', '=', 'queued')])
        for notice in queued._recording():
            notice.write(notice._get_unapproved_vals())
        queued._recording()._message_log_batch(dict.fromkeys(queued.ids, reason))
        # sudo: the queue belongs to the system
        mails = self.env['mail.mail'].sudo().search([
            ('state', '=', 'outgoing'), ('model', '=like', 'dunning.%'), ('create_date', '<=', until)])
        for mail in mails:
            mail._record_uncertain_handover()
        # sudo: a parameter of the program
        self.env['ir.config_parameter'].sudo().set_param(RESTORED, fields.Datetime.to_string(until))
        self._write_file(self._get_path(), self._get_last() or {})

    @api.model
    def _was_restored(self, company):
        """Return whether a company was not planned yet since the day up to which letters had left."""
        # sudo: a parameter of the program
        until = fields.Datetime.to_datetime(self.env['ir.config_parameter'].sudo().get_param(RESTORED))
        return bool(until) and (company.dunning_planned_on or date.min) <= company._get_dunning_day(until)

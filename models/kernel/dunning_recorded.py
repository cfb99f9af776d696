"""Records of what happened: written by code, and by hand only as far as they say.

Who may use a model could otherwise change, over RPC or in an import, what its buttons refuse. The guard is open only
in a context in which code records something (:meth:`DunningRecorded._recording`). What opens it is an instance of a
class of this module: a browser or an integration sends words, numbers, lists and dicts, and none of these is one.

Each model has a *book*, named after the model whose records are written together with its own. Recording opens one
book only: while a notice is recorded, a hold is guarded as ever, unless code opens its book as well.
"""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools.misc import clean_context

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG

# Mixins that go on after something was recorded: chatter and activities.
GOING_ON = ('mail.thread.main.attachment', 'mail.activity.mixin')


class Books(frozenset):
    """Names of the books that are open; nothing but an instance of this class opens one."""


#: What notices, and what is written together with them, are recorded with.
RECORDING = Books({'notice'})


def is_recording(env, book='notice'):
    """Return whether code, and not a user, is writing in this book."""
    opened = env.context.get('dunning_recording')
    return isinstance(opened, Books) and book in opened


def as_recording(records, book='notice', **context):
    """Return records of any model in the context in which code writes in this book; open ones stay open."""
    opened = records.env.context.get('dunning_recording')
    opened = Books({book, *(opened if isinstance(opened, Books) else ())})
    # Without defaults of a client: they would fill in what only the program records.
    return records.with_context(clean_context(records.env.context), dunning_recording=opened, **context)


def is_uninstalling(env):
    """Return whether the addon is being removed. A client can put the same word into its context."""
    return bool(env.context.get(MODULE_UNINSTALL_FLAG)) and env.is_system()


class DunningRecorded(models.AbstractModel):
    """Guards of a model whose records are history. It comes first in ``_inherit``, before the mixins of the chatter."""

    _name = 'dunning.recorded'
    _description = "Record of What Happened"
    # The book; None: one of its own, named as the model.
    _recorded_with = None
    # What else the context says while its records are written.
    _recording_context = {}
    # What a user may change by hand. By state: extend `_check_user_write`.
    _user_writable = frozenset()
    # Whether code that records may delete what was recorded. By state: override `_check_unlink`.
    _unlink_recorded = False
    # Fields whose files are a proof, and in which states of their record; None: always.
    _frozen_files = {}

    # -------------------------------------------------------------------------
    # RECORDING
    # -------------------------------------------------------------------------

    def _recording(self):
        """Return the records in the context in which code writes down what happened."""
        return as_recording(self, self._recorded_with or self._name, **self._recording_context)

    def _sees_whole(self):
        """Return whether the user may see all that a record is about; see ``Whole``. Hook."""
        return True

    def _is_recording(self):
        return is_recording(self.env, self._recorded_with or self._name)

    # -------------------------------------------------------------------------
    # GUARDS
    # -------------------------------------------------------------------------

    def _get_frozen_message(self, action):
        """Return the sentence with which ``create``, ``write``, ``unlink`` or ``copy`` is refused.

        None for ``copy``: a copy is refused because it would be created.
        """
        return self.env._(
            "What happened is written down by the program alone; it cannot be entered or changed by hand.")

    def _refuse(self, action):
        raise UserError(self._get_frozen_message(action))

    def _check_recording(self, action):
        if not self._is_recording():
            self._refuse(action)

    @api.model_create_multi
    def create(self, vals_list):
        # Models complete these values behind the guard; those of the caller stay as they are.
        vals_list = [dict(vals) for vals in vals_list]
        if self._is_recording():
            return super().create(vals_list)
        self._check_user_create(vals_list)
        # What follows from the values of the user is the program's.
        return super(DunningRecorded, self._recording()).create(vals_list).with_env(self.env)

    def write(self, vals):
        return super().write(vals) if self._is_recording() else self._write_by_user(vals)

    def _write_by_user(self, vals):
        """Write what a user changes by hand. Extend it with what is checked before that and follows from it."""
        self._check_user_write(vals)
        parent = super()  # of `write`, which alone calls this: its second half
        return parent.write(vals)

    def unlink(self):
        # Before the chatter deletes its messages; and not as an ``ondelete`` method, that a context can switch off.
        if self:
            self._check_unlink()
        return super().unlink()

    def copy_data(self, default=None):
        if self._get_frozen_message('copy'):
            self.check_access('create')
            self._refuse('copy')
        return super().copy_data(default)

    def _check_user_create(self, vals_list):
        """Raise what to do instead when a user may not make these records; what may be made by hand: override it."""
        self._refuse('create')

    def _check_user_write(self, vals):
        """Raise what to do instead when a user may not write this."""
        if self._get_frozen_names(vals) - self._user_writable:
            self._refuse('write')

    def _check_unlink(self):
        if not self._unlink_recorded or not self._is_recording():
            self._refuse('unlink')

    def _get_frozen_names(self, vals):
        """Return which of these fields belong to what was recorded: not those of chatter and activities."""
        free = set().union(*(self.env[mixin]._fields for mixin in GOING_ON)) - self.env['base']._fields.keys()
        return vals.keys() - free

    @api.model
    def _check_frozen_files(self, files, *, new=False):
        """Refuse to touch files of this model that are a proof; called by ``ir.attachment``, unless it is recorded.

        :param files: ``ir.attachment`` records of this model
        :param new: they are made or moved there: a second file of a field would be shown instead of the first
        """
        for field, batch in files.grouped('res_field').items():
            if field not in self._frozen_files:
                continue
            states = self._frozen_files[field]
            # sudo: only asks whether they left
            records = self.sudo().browse(batch.mapped('res_id')).exists()
            left = records.filtered(lambda record, states=states: states is None or record.state in states)
            if left:
                raise UserError(self.env._(
                    "The file of %(notice)s is the proof of what the debtor was told or received, so it cannot be "
                    "changed or deleted.", notice=left[:1].display_name))

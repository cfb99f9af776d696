"""Texts of levels: the words there are for them, and the texts and ladders that ship."""

from lxml import etree

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import file_open
from odoo.tools.convert import xml_import

from .dunning_level import WORDS

MODULE = 'l10n_nl_dunning'
# The ladders in Dutch and then in English, in the order in which an installation loads them.
SHIPPED_FILES = ('data/ladder/dunning_policy_data.xml', 'data/ladder/dunning_policy_data_en.xml')
# Settings that a level has unless its data says otherwise.
DEFAULTS = {
    'active': True, 'legal_role': False, 'with_interest': False, 'with_costs': False, 'attach_invoices': False,
    'expire_days': 0, 'phone_tries': 3, 'recipient': 'reminder', 'fallback_channel': True, 'post_registered': False,
}
# Of related records everybody knows the name; their help would be about something else.
RELATED_WORDS = ('partner_id.name', 'recipient_id.name', 'company_id.name', 'level_id.name')


class DunningLevel(models.Model):
    _inherit = 'dunning.level'

    words_help = fields.Html(
        string="Words", compute='_compute_words_help', sanitize=False)  # made by a template of ours
    is_shipped = fields.Boolean(string="Shipped with the App", compute='_compute_is_shipped')

    @api.depends_context('lang')
    def _compute_words_help(self):
        Notice = self.env['dunning.notice']
        rows = []
        for word in WORDS:
            field = Notice._fields[word.partition('.')[0]]
            text = field._description_string(self.env)
            if word not in RELATED_WORDS:
                text = field._description_help(self.env) or text
            rows.append((f"object.{word}", text))
        self.words_help = self.env['ir.qweb']._render('l10n_nl_dunning.level_words', {'rows': rows})

    @api.depends('policy_id')
    def _compute_is_shipped(self):
        shipped = self.env['dunning.policy']._get_shipped_ids('dunning.level', self)
        for level in self:
            level.is_shipped = level._origin.id in shipped

    def action_load_shipped(self):
        """Give these levels the texts and settings that they ship with, in Dutch and English."""
        self.check_access('write')
        shipped = self.env['dunning.policy']._get_shipped_ids('dunning.level', self)
        if not shipped:
            raise UserError(self.env._("This level did not ship with the app, so there is no text to load."))
        self.env['dunning.policy']._load_shipped(set(shipped.values()))
        return True


class DunningPolicy(models.Model):
    _inherit = 'dunning.policy'

    is_shipped = fields.Boolean(string="Shipped with the App", compute='_compute_is_shipped')

    def _compute_is_shipped(self):
        shipped = self._get_shipped_ids('dunning.policy', self)
        for policy in self:
            policy.is_shipped = policy._origin.id in shipped

    def action_load_shipped(self):
        """Give this policy the levels that it ships with.

        Levels that shipped get their own texts and settings back, levels that are missing are made, levels that do
        not ship any more are archived: notices of theirs stay as proof. Levels of the company's own are left alone.
        """
        self.ensure_one()
        self.check_access('write')
        shipped = self._get_shipped_ids('dunning.policy', self)
        if not shipped:
            raise UserError(self.env._("This policy did not ship with the app, so there is no ladder to load."))
        [name] = shipped.values()
        names = [
            record.get('id') for record in self._get_shipped_records(SHIPPED_FILES[0])
            if any(field.get('ref') == name for field in record.iterchildren('field'))]
        # sudo: only which of the levels came with the app
        outdated = self.env['ir.model.data'].sudo().search([
            ('module', '=', MODULE), ('model', '=', 'dunning.level'), ('res_id', 'in', self.level_ids.ids),
            ('name', 'not in', names)])
        self.env['dunning.level'].browse(outdated.mapped('res_id')).active = False
        self._load_shipped({name, *names})
        return True

    @api.model
    def _get_shipped_ids(self, model, records):
        """Return ``{id: name}`` of the records that ship today."""
        if not records._origin.ids:
            return {}
        names = [record.get('id') for record in self._get_shipped_records(SHIPPED_FILES[0])]
        # sudo: only the names of records that the caller can see
        found = self.env['ir.model.data'].sudo().search([
            ('module', '=', MODULE), ('model', '=', model), ('name', 'in', names),
            ('res_id', 'in', records._origin.ids)])
        return {data.res_id: data.name for data in found}

    @api.model
    def _get_shipped_records(self, path):
        """Return the records of a data file of ours."""
        with file_open(f'{MODULE}/{path}', 'rb') as stream:
            return list(etree.parse(stream).getroot().iter('record'))

    @api.model
    def _load_shipped(self, names):
        """Load records from the data files, as an installation does: also those that were changed or deleted.

        :param set names: of records, without the name of the module
        """
        self.check_access('write')
        # sudo: names of records belong to the system; whoever may write ladders may have the ones that ship
        loader = xml_import(self.sudo().env, MODULE, {}, 'init', noupdate=True)
        # A text is judged in all its languages and by what its level is for. Until both are there, nobody reads it.
        for path, unread in ((SHIPPED_FILES[0], True), (SHIPPED_FILES[1], False), (SHIPPED_FILES[0], False)):
            records = [record for record in self._get_shipped_records(path) if record.get('id') in names]
            if path == SHIPPED_FILES[0]:
                self._complete_shipped(records, unread)
            for record in records:
                loader.parse(self._wrap_record(record))

    @api.model
    def _complete_shipped(self, records, unread):
        """Name in level records what the data leaves to its default, for a company may have changed it.

        :param bool unread: make internal tasks of the levels for now
        """
        for record in records:
            if record.get('model') != 'dunning.level':
                continue
            fields_by_name = {field.get('name'): field for field in record.iterchildren('field')}
            if unread:
                fields_by_name['channel'].text = 'task'
            for name, default in DEFAULTS.items():
                if unread and name in fields_by_name:
                    record.remove(fields_by_name.pop(name))
                if name not in fields_by_name:
                    etree.SubElement(record, 'field', name=name, eval=repr(default))

    @api.model
    def _wrap_record(self, record):
        """Return the root of a data file with one record, in the language of the file it comes from."""
        root = etree.Element('odoo')
        data = etree.SubElement(root, 'data', record.getparent().attrib)
        data.append(record)
        return root

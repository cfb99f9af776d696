"""The letterhead of a company: what its letters, specifications and agreements share."""

import base64
import re

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import ormcache
from odoo.tools.image import image_data_uri, image_process
from odoo.tools.mail import is_html_empty

from odoo.addons.base.models import ir_actions_report

from ..kernel.dunning_paper import PAGE_LEFT, PAGE_TOP

# Unpatched Qt shrinks a page by about this much, whatever its options say (and more when the page is too wide).
UNPATCHED_ZOOM = 1.28
DUTCH_POSTCODE = re.compile(r'^(\d{4})\s*([A-Za-z]{2})$')
# Where the address is, in millimetres: from the edge of the paper on the side of the window, and from the top; and how
# wide. So it shows in the windows of common Dutch envelopes, on the left and on the right (NEN 1026).
WINDOW_SIDE, WINDOW_TOP, ADDRESS_WIDTH = 20.0, 50.0, 85.0


class DunningLetterhead(models.AbstractModel):
    _name = 'dunning.letterhead'
    _inherit = 'dunning.paper'
    _description = "Dunning Letter"

    @api.model
    def _prepare_company(self, company, lang):
        """Return what the letters of one company in one language share."""
        env = self.with_context(lang=lang).env
        line = company._get_dunning_line_of().with_context(lang=lang).partner_id
        partner, creditor = line[:1], line[-1:]
        address = next((person for person in line if person.street or person.city), partner)
        contact = company._get_dunning_setting('dunning_contact_id')
        left = WINDOW_SIDE if company.dunning_window_side == 'left' else 210.0 - WINDOW_SIDE - ADDRESS_WIDTH
        place = ' '.join(filter(None, [address.zip, address.city]))

        def find(name):
            return next((person[name] for person in line if person[name]), False)

        numbers = [
            *self.with_env(env)._get_numbers(creditor, company._get_dunning_country()),
            (env._("Phone"), find('phone')), (env._("E-mail"), find('email')),
            (env._("Website"), re.sub(r'^https?://(www\.)?', '', find('website') or '').rstrip('/')),
        ]
        return {
            'record': company,
            'lang': (lang or 'en')[:2],
            'name': company.name,
            'street': ', '.join(filter(None, [address.street, address.street2])),
            'place': place,
            'country': address.country_id.name if address.country_id.code != 'NL' else '',
            'numbers': [(label, value) for label, value in numbers if value],
            'sender_line': ', '.join(filter(None, [company.name, address.street, place])),
            'logo': self._get_logo(company),
            'signer': contact.name if contact and not contact.is_company else '',
            # Millimetres, less the margin of the page that wkhtmltopdf adds.
            'zoom': 1 if ir_actions_report._wkhtml().is_patched_qt else UNPATCHED_ZOOM,
            'window_side': company.dunning_window_side,
            'address_left': left - PAGE_LEFT,
            'address_top': WINDOW_TOP - PAGE_TOP,
            'address_width': ADDRESS_WIDTH,
            'page_of': env._("Page %(page)s of %(pages)s", page='[sitepage]', pages='[sitepages]'),
            'is_html_empty': is_html_empty,
        }

    @api.model
    def _get_numbers(self, partner, country):
        """Return ``[(word, number)]`` of the numbers of a firm, with the words that its country has for them."""
        dutch = country == 'NL'
        return [
            (self.env._("CoC") if dutch else self.env._("Company number"), partner.company_registry),
            (self.env._("VAT") if dutch else self.env._("Tax number"), partner.vat)]

    @api.model
    def _get_address(self, partner):
        """Return the lines of an address without name and country, in the order of its country.

        The town in capitals, and in the Netherlands two spaces before it: what sorting machines read.
        """
        zip_code, city = (partner.zip or '').strip(), (partner.city or '').upper()
        if (partner.country_id.code or 'NL') == 'NL':
            zip_code = DUTCH_POSTCODE.sub(lambda found: f"{found[1]} {found[2].upper()}", zip_code)
            return list(filter(None, [
                partner.street, partner.street2,
                '\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}'.join(filter(None, [zip_code, city]))]))
        layout, words = partner._prepare_display_address(without_company=True)
        words |= {'zip': zip_code, 'city': city, 'country_name': ''}
        # An empty piece leaves its separators.
        lines = [' '.join((line % words).split()).strip(' ,-') for line in layout.split('\n')]
        return list(filter(None, lines))

    @api.model
    def _get_window_lines(self, company, debtor, recipient, partner):
        """Return the lines in the window, as the post wants them, in the language of the environment.

        :param partner: whose address it is
        """
        lines = [debtor.name]
        if recipient != debtor and not recipient.is_company and recipient.name:
            lines.append(self.env._("Attn. %s", recipient.name))
        elif recipient != debtor and recipient.name and recipient.name != debtor.name:
            lines.append(recipient.name)
        lines += self._get_address(partner)
        if partner.country_id and partner.country_id != company.country_id:
            lines.append((partner.country_id.with_env(self.env).name or '').upper())
        return [line for line in lines if line]

    @api.model
    def _get_logo(self, company):
        """Return the logo as a data URI, small enough to be in every letter, or an empty string."""
        own = company._get_dunning_line_of().filtered(lambda found: found.logo and not found.uses_default_logo)[:1]
        return self._make_logo(own.id, own.partner_id.write_date) if own else ''

    @api.model
    @ormcache('company_id', 'stamp')
    def _make_logo(self, company_id, stamp):
        logo = self.env['res.company'].sudo().browse(company_id).logo  # sudo: as above
        try:
            return image_data_uri(base64.b64encode(image_process(
                base64.b64decode(logo), size=(700, 260), output_format='PNG')))
        except (UserError, ValueError):  # such as SVG, which is small
            return image_data_uri(logo)

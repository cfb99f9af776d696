import { BadgeField, badgeField } from "@web/views/fields/badge/badge_field";
import { registry } from "@web/core/registry";

/**
 * The name of a level on its own colour. The colour comes along with the level: as a field of each invoice it cost as
 * much as the level itself on every page of every list.
 */
export class DunningLevelField extends BadgeField {
    get badgeClass() {
        return `o_badge_color_${this.props.record.data[this.props.name].color || 0}`;
    }
}

registry.category("fields").add("dunning_level", {
    ...badgeField,
    component: DunningLevelField,
    additionalClasses: ["o_field_badge"],
    supportedTypes: ["many2one"],
    supportedOptions: [],
    relatedFields: [{ name: "color", type: "integer" }],
    extractProps: () => ({}),
});

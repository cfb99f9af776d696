import { Component, markup, onWillStart } from "@odoo/owl";

import { DynamicPlaceholderPlugin } from "@html_editor/others/dynamic_placeholder_plugin";
import { HtmlField, htmlField } from "@html_editor/fields/html_field";
import { MAIN_PLUGINS } from "@html_editor/plugin_sets";
import { QWebPlugin } from "@html_editor/others/qweb_plugin";
import { withSequence } from "@html_editor/utils/resource";
import { Wysiwyg } from "@html_editor/wysiwyg";
import { HtmlMailField, htmlMailField } from "@mail/views/web/fields/html_mail_field/html_mail_field";
import { Dialog } from "@web/core/dialog/dialog";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { localization } from "@web/core/l10n/localization";
import { loadLanguages, _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useOwnedDialogs, useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";

// Milliseconds without a key after which what was typed is judged and shown.
const PAUSE = 700;
const LABEL = "data-dunning-label";
const SHOWN = "[t-out], [t-esc], [t-if], [t-elif], [t-else]";

/**
 * What is filled in is shown by its name, what is read on a condition with that condition in words. The text stays
 * what it is: names are attributes that only the screen has, and the drawing is left to the style sheet.
 */
export class TextWordsPlugin extends QWebPlugin {
    static dependencies = [...QWebPlugin.dependencies, "dom", "history"];
    static shared = ["insertWord"];
    resources = {
        ...this.resources,
        system_attributes: [...this.resources.system_attributes, LABEL],
        user_commands: this.config.textWords.words.map(([expression, label, help]) => ({
            id: `dunning:${expression}`,
            title: label,
            description: help,
            icon: "fa-tag",
            run: () => this.insertWord(expression),
        })),
        powerbox_categories: withSequence(5, { id: "dunning_words", name: _t("Filled in") }),
        powerbox_items: this.config.textWords.words.map(([expression]) => ({
            categoryId: "dunning_words",
            commandId: `dunning:${expression}`,
        })),
    };

    /** Everything is shown at once, where core shows one branch of a condition. */
    applyGroupQwebBranching(root) {
        for (const node of [root, ...root.querySelectorAll(SHOWN)]) {
            const label = node.matches(SHOWN) && this.getLabel(node);
            if (label && node.getAttribute(LABEL) !== label) {
                node.setAttribute(LABEL, label);
            }
        }
    }

    getLabel(node) {
        const { words, conditions, otherwise } = this.config.textWords;
        const condition = node.getAttribute("t-if") || node.getAttribute("t-elif");
        if (condition) {
            return conditions[condition.trim().replace(/\s+/g, " ")] || condition;
        }
        if (node.hasAttribute("t-else")) {
            return otherwise;
        }
        const shown = (node.getAttribute("t-out") || node.getAttribute("t-esc") || "").trim();
        return words.find(([expression]) => expression === shown)?.[1] || shown;
    }

    clearDataAttributes(root) {
        super.clearDataAttributes(root);
        for (const node of root.querySelectorAll(`[${LABEL}]`)) {
            node.removeAttribute(LABEL);
        }
    }

    insertWord(expression) {
        const node = this.document.createElement("T");
        node.setAttribute("t-out", expression);
        this.dependencies.dom.insert(node);
        this.dependencies.history.addStep();
    }
}

/** Return what an editor of a text needs, besides its content. */
export function getTextConfig(words, plugins = MAIN_PLUGINS) {
    return {
        Plugins: [
            ...plugins.filter((p) => p !== DynamicPlaceholderPlugin && p !== QWebPlugin),
            TextWordsPlugin,
        ],
        classList: ["o_dunning_text"],
        baseContainers: ["P"],
        textWords: words,
    };
}

/** A text in all languages beside each other, each in an editor of its own. */
export class TextLanguagesDialog extends Component {
    static template = "l10n_nl_dunning.TextLanguagesDialog";
    static components = { Dialog, Wysiwyg };
    static props = { close: Function, record: Object, fieldName: String };

    setup() {
        this.orm = useService("orm");
        this.changed = new Set();
        this.editors = {};
        const { record, fieldName } = this.props;
        this.title = record.fields[fieldName].string;
        onWillStart(async () => {
            const [languages, [texts]] = await Promise.all([
                loadLanguages(this.orm),
                this.ask("get_field_translations"),
            ]);
            this.texts = texts
                .filter(({ lang }) => languages.some(([code]) => code === lang))
                .map(({ lang, value }) => ({
                    lang,
                    name: languages.find(([code]) => code === lang)[1],
                    config: {
                        ...getTextConfig(record.data.text_words),
                        content: markup(value || ""),
                        onChange: () => this.changed.add(lang),
                    },
                }))
                // Dutch first: it is what the law reads.
                .sort((one, other) => other.lang.localeCompare(one.lang));
        });
    }

    ask(method, ...args) {
        const { record, fieldName } = this.props;
        return this.orm.call(record.resModel, method, [[record.resId], fieldName, ...args]);
    }

    async save() {
        const texts = [...this.changed].map((lang) => [lang, this.editors[lang].getContent()]);
        if (texts.length) {
            await this.ask("update_field_translations", Object.fromEntries(texts));
            await this.props.record.load();
        }
        this.props.close();
    }
}

/** The text of a level. What is typed counts after a pause, so that what judges and shows it follows. */
export class TextField extends HtmlField {
    static template = "l10n_nl_dunning.TextField";
    static components = {
        ...HtmlField.components,
        Dropdown,
        DropdownItem,
    };

    setup() {
        super.setup();
        this.addDialog = useOwnedDialogs();
        this.commitSoon = useDebounced(() => this.commitChanges(), PAUSE);
    }

    get words() {
        return this.props.record.data.text_words;
    }

    get hasLanguages() {
        return localization.multiLang;
    }

    async showLanguages() {
        const { record, name: fieldName } = this.props;
        if (await record.save()) {
            this.addDialog(TextLanguagesDialog, { record, fieldName });
        }
    }

    onChange() {
        super.onChange();
        this.commitSoon();
    }

    getConfig() {
        const config = super.getConfig();
        return { ...config, ...getTextConfig(this.words, config.Plugins) };
    }

    insertWord(expression) {
        this.editor.shared.qweb.insertWord(expression);
    }
}

/** The body of an e-mail template: as core edits it, with names where the template is about a model of ours. */
export class MailTextField extends HtmlMailField {
    getConfig() {
        const config = super.getConfig();
        const words = this.props.record.data.text_words;
        return words ? { ...config, ...getTextConfig(words, config.Plugins) } : config;
    }
}

registry.category("fields").add("dunning_mail_text", {
    ...htmlMailField,
    component: MailTextField,
    fieldDependencies: [{ name: "text_words", type: "json" }],
});

registry.category("fields").add("dunning_text", {
    ...htmlField,
    component: TextField,
    additionalClasses: ["o_field_html"],
    fieldDependencies: [{ name: "text_words", type: "json" }],
    extractProps(fieldInfo, dynamicInfo) {
        return {
            ...htmlField.extractProps(fieldInfo, dynamicInfo),
            embeddedComponents: false,
            // The stored text is what is typed and nothing else: it is compared with what ships.
            migrateHTML: false,
        };
    },
});

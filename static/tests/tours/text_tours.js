import { markup } from "@odoo/owl";

import { Editor } from "@html_editor/editor";
import { fixInvalidHTML } from "@html_editor/utils/sanitize";
import { rpc } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";

import { getTextConfig } from "../../src/ladder/text_field";

const tours = registry.category("web_tour.tours");
const FRAME = ".o_widget_dunning_text_preview iframe.o_dunning_preview_mail";

const call = (model, method, args, context = {}) =>
    rpc(`/web/dataset/call_kw/${model}/${method}`, {
        model,
        method,
        args,
        kwargs: { context },
    });

/** Return HTML as a browser writes it, whoever wrote it first. */
function normalize(text) {
    const node = document.createElement("div");
    node.innerHTML = fixInvalidHTML(markup(text || ""));
    return node.innerHTML;
}

/** Return what is read and filled in, in order: core puts paragraphs around what stands between them in e-mails. */
function outline(text) {
    const node = document.createElement("div");
    node.innerHTML = fixInvalidHTML(markup(text || ""));
    const expressions = [...node.querySelectorAll("*")].flatMap((element) =>
        element
            .getAttributeNames()
            .filter((name) => name.startsWith("t-"))
            .map((name) => `${name}=${element.getAttribute(name)}`)
    );
    return JSON.stringify([node.textContent.replace(/[\s\ufeff]+/g, ""), expressions]);
}

/** Open a text in an editor, look at it, insert a word, take that back: what is stored stays what it was. */
function tryText(text, words, form) {
    const { services } = odoo.__WOWL_DEBUG__.root.env;
    const editor = new Editor({ ...getTextConfig(words), content: markup(text) }, services);
    const node = document.createElement("div");
    document.body.append(node);
    editor.attachTo(node);
    try {
        const labels = [...node.querySelectorAll("[data-dunning-label]")].map(
            ({ dataset }) => dataset.dunningLabel
        );
        const placeholders = normalize(text).match(/ t-(out|if|elif|else)=/g) || [];
        if (labels.length !== placeholders.length || labels.some((label) => label.includes("object."))) {
            throw new Error(`Not everything has a name: ${labels} in ${text}`);
        }
        const same = (what) => {
            const [is, was] = [form(editor.getContent()), form(text)];
            if (is !== was) {
                const at = [...was].findIndex((char, index) => char !== is[index]);
                throw new Error(
                    `${what} changed a text, from ${JSON.stringify(was.slice(at - 20, at + 40))} to ${JSON.stringify(is.slice(at - 20, at + 40))}`
                );
            }
        };
        same("Opening");
        const line = [...node.querySelectorAll("p:not([t-out]), li")].find((p) => p.textContent.trim());
        editor.shared.selection.setSelection({ anchorNode: line, anchorOffset: 0 });
        editor.shared.qweb.insertWord("object.contact_text");
        const count = (html) => normalize(html).split('t-out="object.contact_text"').length;
        if (count(editor.getContent()) !== count(text) + 1) {
            throw new Error(`No word was inserted: ${editor.getContent()}`);
        }
        editor.shared.history.undo();
        same("Undo");
    } finally {
        editor.destroy();
        node.remove();
    }
}

tours.add("l10n_nl_dunning.texts_stay", {
    steps: () => [
        {
            content: "Every text of levels and e-mail templates, in both languages",
            trigger: ".o_list_view",
            async run() {
                for (const [model, domain, names, form, least] of [
                    ["dunning.level", [], ["letter_intro", "letter_closing", "call_script"], normalize, 40],
                    ["mail.template", [["model", "=like", "dunning.%"]], ["body_html"], outline, 20],
                ]) {
                    const ids = await call(model, "search", [domain]);
                    let count = 0;
                    for (const lang of ["nl_NL", "en_US"]) {
                        const fields = [...names, "text_words"];
                        for (const record of await call(model, "read", [ids, fields], { lang })) {
                            for (const name of names.filter((name) => record[name])) {
                                tryText(record[name], record.text_words, form);
                                count++;
                            }
                        }
                    }
                    if (count < least) {
                        throw new Error(`Only ${count} texts of ${model} were tried.`);
                    }
                }
            },
        },
    ],
});

tours.add("l10n_nl_dunning.write_text", {
    steps: () => [
        {
            content: "What is filled in is shown by its name",
            trigger: "div[name=letter_intro] [t-out='object.amount_text'][data-dunning-label='Amount']",
        },
        {
            content: "A condition is shown in words",
            trigger:
                "div[name=letter_intro] [t-if='object.amount_netted'][data-dunning-label='only if a credit was taken off']",
        },
        {
            content: "The debtor who owes most is shown with the text",
            trigger: `${FRAME}[srcdoc*='Dear Sir or Madam']`,
        },
        {
            content: "Write",
            trigger: "div[name=letter_intro] p:has(> [t-if='object.history_text'])",
            run: "editor Please pay before lunch.",
        },
        {
            content: "and see what the debtor would read, before anything is saved",
            trigger: `${FRAME}[srcdoc*='before lunch']`,
        },
        {
            content: "What was taken out is compared with what ships",
            trigger: ".o_widget_dunning_text_preview [data-tab=shipped]",
            run: "click",
        },
        { trigger: ".o_dunning_compared ins:contains(before lunch)" },
        { trigger: ".o_dunning_compared del:contains(only for one invoice)" },
        {
            content: "The shipped text comes back",
            trigger: ".o_dunning_take_shipped",
            run: "click",
        },
        { trigger: ".o_widget_dunning_text_preview .text-success" },
        {
            content: "with its names",
            trigger: "div[name=letter_intro] [t-out='object.amount_text'][data-dunning-label='Amount']",
        },
        {
            content: "Both languages",
            trigger: "div[name=letter_closing] .o_dunning_languages_button",
            run: "click",
        },
        { trigger: ".modal [data-lang=nl_NL] .odoo-editor-editable:contains(elkaar gekruist)" },
        {
            content: "Write in the other language",
            trigger: ".modal [data-lang=nl_NL] p:contains(elkaar gekruist)",
            run: "editor Betaal voor de lunch.",
        },
        { trigger: ".modal .modal-footer .btn-primary", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        {
            content: "and read it in that language",
            trigger: ".o_widget_dunning_text_preview [data-tab=mail]",
            run: "click",
        },
        { trigger: ".o_widget_dunning_text_preview select", run: "select nl_NL" },
        { trigger: `${FRAME}[srcdoc*='voor de lunch']` },
    ],
});

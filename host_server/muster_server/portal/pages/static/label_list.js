// The labels of a visit: the newest is shown, all of them are for printing.
"use strict";

class LabelList {
  constructor(texts) {
    this.texts = texts;
    this.made = [];
    this.isUnprinted = false;
    this.part("print").addEventListener("submit", () => { this.isUnprinted = false; });
  }

  part(id) {
    return document.getElementById(id);
  }

  // A new label of a board takes the place of its former one.
  add(one) {
    this.made = [...this.made.filter((other) => other.device_id !== one.device_id), one];
    this.isUnprinted = true;
    this.part("label-id").textContent = one.device_id;
    this.part("label-groups").textContent = one.groups;
    this.part("label-passphrase").textContent = one.setup_passphrase;
    this.part("label-drawing").src = one.drawing;
    this.part("label-link").href = "/add#" + one.label;
    this.part("label-made").hidden = false;
    this.part("labels").value = ["label", ...this.made.map((each) => each.label)].join("\n");
    this.part("print-count").textContent = this.texts.count.replace("{detail}", String(this.made.length));
    this.part("print").hidden = false;
    this.part("print-none").hidden = true;
  }

  hide() {
    this.part("label-made").hidden = true;
  }
}

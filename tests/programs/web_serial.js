// Web Serial's face for a page in a test: bytes and lines go to Python, which has the board.
"use strict";

(() => {
  const coded = (bytes) => btoa(String.fromCharCode(...bytes));
  const decoded = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const lost = () => new DOMException("The device has been lost.", "NetworkError");

  class Port extends EventTarget {
    isOpen = false;

    getInfo() {
      return { usbVendorId: 0x10c4, usbProductId: 0xea60 };
    }

    async open({ baudRate }) {
      if (this.isOpen) throw new DOMException("The port is already open.", "InvalidStateError");
      if (!(baudRate > 0) || !(await window.serialOpen())) throw new DOMException("Failed to open serial port.", "NetworkError");
      this.isOpen = true;
      this.pump();
    }

    // A stream that was cancelled gives way to a new one, as long as the port is open.
    get readable() {
      if (!this.isOpen) return null;
      this.stream = this.stream || new ReadableStream({
        start: (controller) => { this.controller = controller; },
        cancel: () => { this.stream = this.controller = null; },
      });
      return this.stream;
    }

    get writable() {
      if (!this.isOpen) return null;
      this.sink = this.sink || new WritableStream({
        write: async (bytes) => { if (!(await window.serialWrite(coded(bytes)))) throw lost(); },
      });
      return this.sink;
    }

    async pump() {
      while (this.isOpen) {
        const said = await window.serialRead();
        if (said === null) {
          const controller = this.controller;
          this.isOpen = false;
          this.stream = this.sink = this.controller = null;
          if (controller) controller.error(lost());
          this.dispatchEvent(new Event("disconnect"));
        } else if (said && this.readable) {
          this.controller.enqueue(decoded(said));
        } else if (!said) {
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      }
    }

    async setSignals({ dataTerminalReady = null, requestToSend = null }) {
      if (!(await window.serialLines(dataTerminalReady, requestToSend))) throw lost();
    }

    async close() {
      if (!this.isOpen) throw new DOMException("The port is already closed.", "InvalidStateError");
      if ((this.stream && this.stream.locked) || (this.sink && this.sink.locked)) throw new TypeError("Cannot cancel a locked stream");
      this.isOpen = false;
      this.stream = this.sink = this.controller = null;
      await window.serialLines(false, false);
    }
  }

  const port = new Port();
  const serial = { requestPort: async () => port, getPorts: async () => [port] };
  Object.defineProperty(Navigator.prototype, "serial", { get: () => serial, configurable: true });
})();

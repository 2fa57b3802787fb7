/** The picture from browser to browser, where the network lets it; the host only carries the words that arrange it. */

const PATIENCE = 10_000;

/** Handles one word after the other: the next may need what the one before has begun. */
class Turns {
  last = Promise.resolve();

  next(what) {
    this.last = this.last.then(what).catch((error) => console.warn("webrtc:", error.name));
  }
}

/** The supporter's end: asks for the picture. */
export class Caller {
  /**
   * @param {RTCIceServer[]} iceServers
   * @param {(word: object) => void} send
   * @param {(stream: MediaStream) => void} picture
   * @param {() => void} lost
   */
  constructor(iceServers, send, picture, lost) {
    this.peer = new RTCPeerConnection({ iceServers });
    this.send = send;
    this.turns = new Turns();
    const giveUp = () => this.peer && (this.end(), lost());
    const patience = setTimeout(giveUp, PATIENCE);
    this.peer.addTransceiver("video", { direction: "recvonly" });
    this.peer.addEventListener("icecandidate", ({ candidate }) => send({ candidate }));
    this.peer.addEventListener("track", ({ track }) => (this.stream = new MediaStream([track])));
    this.peer.addEventListener("connectionstatechange", () => {
      const state = this.peer?.connectionState;
      if (state === "connected") {
        clearTimeout(patience);
        picture(this.stream);
      } else if (["failed", "disconnected", "closed"].includes(state)) giveUp();
    });
    this.turns.next(async () => {
      await this.peer.setLocalDescription();
      send({ description: this.peer.localDescription });
    });
  }

  hear({ description, candidate, bye }) {
    this.turns.next(async () => {
      if (bye) this.peer?.close();
      else if (description) await this.peer?.setRemoteDescription(description);
      else if (candidate) await this.peer?.addIceCandidate(candidate);
    });
  }

  end() {
    this.peer?.close();
    this.peer = null;
    this.send({ bye: true });
  }
}

/** The customer's end: gives the picture to each who asks. */
export class Givers {
  /** @param {(word: object, to: string) => void} send */
  constructor(send) {
    this.send = send;
    this.all = new Map();
    this.turns = new Turns();
    this.iceServers = [];
  }

  get connected() {
    return [...this.all.values()].filter((one) => one.connectionState === "connected").length;
  }

  hear(from, { description, candidate, bye }, track) {
    this.turns.next(async () => {
      if (bye || (description && this.all.has(from))) this.close(from);
      if (description?.type === "offer" && track) await this.answer(from, description, track);
      else if (candidate) await this.all.get(from)?.addIceCandidate(candidate);
    });
  }

  async answer(from, description, track) {
    const peer = new RTCPeerConnection({ iceServers: this.iceServers });
    this.all.set(from, peer);
    peer.addEventListener("icecandidate", ({ candidate }) => this.send({ candidate }, from));
    peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState === "failed" && this.all.get(from) === peer) this.close(from);
    });
    peer.addTrack(track);
    await peer.setRemoteDescription(description);
    await peer.setLocalDescription();
    this.send({ description: peer.localDescription }, from);
  }

  /** Another camera, the same connections. */
  replace(track) {
    for (const peer of this.all.values()) peer.getSenders()[0]?.replaceTrack(track);
  }

  close(from) {
    this.all.get(from)?.close();
    this.all.delete(from);
  }

  end() {
    for (const from of [...this.all.keys()]) {
      this.send({ bye: true }, from);
      this.close(from);
    }
  }
}

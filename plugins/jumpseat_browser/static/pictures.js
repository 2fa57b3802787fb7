/** From a stream to pictures for the host: starts and ends the worker that makes them. */

export class Pictures {
  /**
   * @param {HTMLVideoElement} video shows the stream; frames are taken of it where the browser gives no stream of them
   * @param {(picture: Blob) => number} send answers the bytes that wait on the line
   */
  constructor(video, send) {
    const { pump, longest } = document.body.dataset;
    this.video = video;
    this.worker = new Worker(pump);
    this.worker.postMessage({ longest: Number(longest) });
    this.worker.addEventListener("message", ({ data }) => {
      if (data.picture) this.worker.postMessage({ backlog: send(data.picture) });
      else this.give();
    });
  }

  begin(track) {
    this.end();
    this.track = track;
    if (!("MediaStreamTrackProcessor" in window)) return;
    const { readable } = new MediaStreamTrackProcessor({ track });
    this.worker.postMessage({ readable }, [readable]);
    this.streams = true;
  }

  async give() {
    if (this.streams || !this.track || this.video.readyState < 2) return;
    const image = await createImageBitmap(this.video);
    if (this.track) this.worker.postMessage({ image }, [image]);
    else image.close();
  }

  /** @param {number} more pictures that the host takes; 0: it takes none any more */
  allow(more, watched = false) {
    this.worker.postMessage({ credit: more, watched });
  }

  end() {
    this.track = null;
    this.streams = false;
    this.worker.postMessage({ end: true });
  }
}

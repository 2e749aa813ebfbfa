// How fast bytes go: a mean over the last seconds, so that the time left does not jump.
const window = 10_000;

export class Speed {
  private marks: { at: number; bytes: number }[] = [];

  /// `bytes`: how many have gone since the beginning; less than before after a break.
  mark(bytes: number, at = performance.now()) {
    const last = this.marks[this.marks.length - 1];
    if (last && bytes < last.bytes) this.marks = [];
    this.marks.push({ at, bytes });
    while (this.marks.length > 2 && at - this.marks[0]!.at > window) this.marks.shift();
  }
  reset() { this.marks = []; }
  /// Bytes a second; 0 while that is not known.
  get value(): number {
    const first = this.marks[0];
    const last = this.marks[this.marks.length - 1];
    if (!first || !last || last.at - first.at < 200) return 0;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }
}

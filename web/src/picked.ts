// Files that somebody dropped or chose, and the items that they make.
export interface Picked { file: File; path: string; handle?: FileSystemFileHandle }
export interface PlannedItem { name: string; type: string; files: Picked[] }

interface Entry extends FileSystemEntry { file?: unknown }
type WithHandle = DataTransferItem & { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> };
type Folder = FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemHandle> };

const isLitter = (name: string) => name.startsWith(".") || name === "Thumbs.db" || name === "desktop.ini";

async function fromHandle(handle: FileSystemHandle, folder: string, found: Picked[]) {
  if (isLitter(handle.name)) return;
  if (handle.kind === "file") {
    const file = await (handle as FileSystemFileHandle).getFile();
    found.push({ file, path: folder + handle.name, handle: handle as FileSystemFileHandle });
    return;
  }
  for await (const child of (handle as Folder).values()) await fromHandle(child, `${folder}${handle.name}/`, found);
}

async function fromEntry(entry: Entry, folder: string, found: Picked[]) {
  if (isLitter(entry.name)) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ file, path: folder + entry.name });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {  // a hundred at a time
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const child of some) await fromEntry(child, `${folder}${entry.name}/`, found);
  }
}

/// Call it while the event is handled: afterwards the browser has forgotten what was dropped.
export async function pickDropped(transfer: DataTransfer): Promise<Picked[]> {
  const dropped = [...transfer.items].filter((item) => item.kind === "file").map((item) => ({
    handle: (item as WithHandle).getAsFileSystemHandle?.().catch(() => null), entry: item.webkitGetAsEntry(), file: item.getAsFile(),
  }));
  const found: Picked[] = [];
  for (const { handle, entry, file } of dropped) {
    const real = await handle;
    if (real) await fromHandle(real, "", found);
    else if (entry) await fromEntry(entry, "", found);
    else if (file) found.push({ file, path: file.name });
  }
  return found;
}

export function pickChosen(files: FileList): Picked[] {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })).filter(({ file }) => !isLitter(file.name));
}

const extension = (name: string) => name.toLowerCase().match(/\.([^./]+)$/)?.[1] ?? "";
const stem = (name: string) => name.replace(/\.[^.]+$/, "");

/// An OVF descriptor makes an item with the files beside it; an OVA, an ISO image and any other file are an item each.
export function planItems(picked: Picked[]): PlannedItem[] {
  const folders = new Map<string, Picked[]>();
  for (const one of picked) {
    const folder = one.path.includes("/") ? one.path.slice(0, one.path.lastIndexOf("/")) : "";
    folders.set(folder, [...(folders.get(folder) ?? []), one]);
  }
  const planned: PlannedItem[] = [];
  for (const files of folders.values()) {
    const descriptors = files.filter(({ file }) => extension(file.name) === "ovf");
    let rest = files.filter((one) => !descriptors.includes(one));
    for (const descriptor of descriptors) {
      const name = stem(descriptor.file.name);
      const own = rest.filter(({ file }) => !["ova", "iso"].includes(extension(file.name)) && (descriptors.length === 1 || file.name.startsWith(name)));
      rest = rest.filter((one) => !own.includes(one));
      planned.push({ name, type: "ovf", files: [descriptor, ...own] });
    }
    for (const one of rest) {
      const kind = extension(one.file.name);
      planned.push({ name: stem(one.file.name), type: kind === "ova" ? "ovf" : kind === "iso" ? "iso" : "", files: [one] });
    }
  }
  return planned;
}

const metadata = ["mf", "cert", "ovf"];
/// A manifest and a certificate must be there before the descriptor.
export const inOrder = (files: Picked[]) => [...files].sort((a, b) => {
  const rank = ({ file }: Picked) => { const at = metadata.indexOf(extension(file.name)); return at < 0 ? metadata.length : at; };
  return rank(a) - rank(b);
});

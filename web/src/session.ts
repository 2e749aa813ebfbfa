// Who is signed in, and what they may do.
import { get, signIn, signOut } from "./api.js";

export interface SignedIn { user: string; root: Set<string>; below: Set<string> }

export async function whoIsIt(): Promise<SignedIn> {
  const { user } = await get<{ user: string }>("/session");
  const { privileges, privileges_below } = await get<{ privileges: string[]; privileges_below: string[] }>("/quire/access/permissions/effective");
  return { user, root: new Set(privileges), below: new Set(privileges_below) };
}
export async function enter(user: string, password: string): Promise<SignedIn> {
  await signIn(user, password);
  return whoIsIt();
}
export const leave = signOut;

let current: SignedIn | undefined;
export const setCurrent = (signedIn: SignedIn | undefined) => { current = signedIn; };
export const me = () => current?.user ?? "";
/// On the root.
export const may = (privilege: string) => current?.root.has(privilege) ?? false;
/// On a library: what the root passes on, or more where somebody gave more. The server decides; this only saves a refusal.
export async function mayOn(library: string): Promise<Set<string>> {
  const { privileges, privileges_below } = await get<{ privileges: string[]; privileges_below: string[] }>("/quire/access/permissions/effective", { library_id: library });
  return new Set([...privileges, ...privileges_below]);
}

// What the server answers with, as far as the page reads it (docs/openapi.json).

export interface Message { id?: string; default_message: string }

export interface LibrarySummary {
  library: string; name: string; description: string; type: "LOCAL" | "SUBSCRIBED"; state: "ACTIVE" | "MAINTENANCE";
  datastore: string; security_policy?: string; items: number; size: number; creation_time: string; last_modified_time: string;
}
export type Signature = "NOT_AVAILABLE" | "VERIFIED" | "INTERNAL" | "VERIFICATION_FAILURE" | "VERIFICATION_IN_PROGRESS" | "UNTRUSTED";
export interface ItemSummary {
  library_item: string; name: string; description: string; type: string; size: number; content_version: string;
  cached?: boolean; security_compliance: boolean; signature?: Signature; held_by?: { update_session: string; user: string; since: string };
  creation_time: string; last_modified_time: string;
}
export interface Item {
  id: string; library_id: string; name: string; description: string; type: string; size: number; content_version: string;
  metadata_version: string; version: string; creation_time: string; last_modified_time: string; security_compliance: boolean;
  cached?: boolean; source_id?: string; certificate_verification_info?: { status: Signature };
}
export interface SubscriptionInfo {
  authentication_method: "BASIC" | "NONE"; automatic_sync_enabled: boolean; on_demand: boolean; subscription_url: string; user_name?: string; password?: string; ssl_thumbprint?: string;
}
export interface PublishInfo { authentication_method: "BASIC" | "NONE"; published: boolean; publish_url?: string; user_name?: string }
export interface Limits { bytes_per_second_max: number; window_start_hour?: number; window_stop_hour?: number }
export interface Synchronization extends Limits {
  publisher?: string; last_sync_time?: string; last_success_time?: string; next_sync_time?: string; failures: number; problem?: Message;
  running?: { task: string; status: string; completed: number; total: number }; items: number; cached_items: number; problem_count: number;
  problems: { library_item: string; name: string; message: Message }[];
}
export interface LibrarySubscription {
  subscription: string; subscribed_library: string; subscribed_library_name: string; subscribed_library_vcenter_hostname?: string;
  last_notified_time?: string; waiting_since?: string; problem?: Message;
}
export interface PublicationReader { address: string; user_agent?: string; last_read_time: string; version?: number }
export interface PublicationState { version: number; readers_since: string; readers: PublicationReader[]; subscriptions: LibrarySubscription[]; peers: string[] }
export interface Probe { status: string; ssl_thumbprint?: string; ssl_certificate?: string; error_messages: Message[] }
export interface Checksum { algorithm?: string; checksum: string }
export interface ItemFile { name: string; size: number; version: string; checksum_info?: Checksum }
export interface Change { version: string; time: string; user?: string; short_message?: string }

export interface Package {
  name?: string; annotation?: string; product: { name?: string; version?: string; vendor?: string; url?: string };
  operating_systems: string[]; disks: { disk: string; capacity?: number; file?: string; format?: string }[]; networks: string[];
  properties: { key: string; category?: string; label?: string; description?: string; type: string; value: string }[]; eulas: string[];
  signer?: { status: Signature; covers_all_files: boolean; certificates: Certificate[] };
}
export interface Certificate { subject: string; issuer: string; not_before: string; not_after: string; sha256: string }

export type SessionState = "ACTIVE" | "DONE" | "ERROR" | "CANCELED";
export type TransferStatus = "WAITING_FOR_TRANSFER" | "TRANSFERRING" | "READY" | "VALIDATING" | "ERROR";
export interface SessionFile {
  name: string; source_type: "NONE" | "PUSH" | "PULL"; status: TransferStatus; size?: number; bytes_transferred: number;
  error_message?: Message; upload_endpoint?: { uri: string };
}
export interface SessionSummary {
  update_session: string; library_item: string; library_item_name: string; library: string; user: string; usable: boolean;
  state: SessionState; completing: boolean; client_progress: number; error_message?: Message; created: string;
  expiration_time: string; ended?: string; files: SessionFile[];
}
export interface Warning { type: string; message: Message; ignored: boolean }
export interface UpdateSession {
  id: string; library_item_id: string; state: SessionState; expiration_time: string; error_message?: Message;
  preview_info?: { state: string; certificate_info?: { issuer: string; subject: string; self_signed: boolean }; warnings?: Warning[] };
}

export interface Task {
  description: Message; service: string; operation: string; target?: { type: string; id: string }; status: string;
  cancelable: boolean; progress?: { total: number; completed: number; message: Message };
  error?: { messages: Message[] }; start_time?: string; end_time?: string; user?: string;
}

export interface User { name: string; description: string; groups: string[]; enabled: boolean }
export interface Group { name: string; description: string; members: string[] }
export interface Role { role: string; name: string; system: boolean; privileges: string[] }
export interface Permission { principal: string; type: "USER" | "GROUP"; library_id?: string; role: string; propagate: boolean }
export interface Token {
  token: string; user: string; name: string; privileges?: string[]; library_ids?: string[]; created: string; last_used?: string; expires?: string;
}

export interface AuditEntry {
  number: number; time: string; user: string; event: string; refused: boolean; api_token?: string; operation?: string; address?: string;
  operation_id?: string; library_id?: string; library_item_id?: string; subject?: string; details: Record<string, string>;
}

export interface Quota { bytes?: number; items?: number; bytes_used: number; bytes_reserved: number; items_used: number }
export interface Datastore { datastore: string; name: string; free_space?: number; capacity?: number }
export interface ServerState {
  version: string; catalog: string; server_guid: string; started: string; now: string;
  storages: { datastore: string; name: string; accessible: boolean; capacity?: number; free_space?: number }[];
  logins: number; update_sessions: number; download_sessions: number; pulls: number; tasks: number;
}
export interface Worker { name: string; runs: number; failures_in_a_row: number; last_error?: string; last_error_time?: string }

/// A message of the event stream.
export interface ServerEvent { number?: number; kind: string; library?: string; item?: string; subject?: string; actor?: string; details?: unknown }
/// `details` of `update_session.progress` and of `task.progress`.
export interface SessionProgress { client_progress: number; expiration_time: string; files: Pick<SessionFile, "name" | "status" | "bytes_transferred" | "size">[] }
export interface TaskProgress { completed: number; total: number }

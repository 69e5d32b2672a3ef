// One sidecar's HTTP server, as its client sees it: one request, one answer or one error. Waiting and replaying are not here.

import { Agent, type IncomingMessage, request as httpRequest } from "node:http";
import { type FieldError, SidecarError } from "../../shared/errors.js";
import { noticeConnection, takeAnotherTurn } from "../child/event-loop.js";
import type { HttpRequest } from "./http-request.js";

/** A literal address: no name to resolve, and no proxy, which node:http never uses by itself. */
export const LOOPBACK = "127.0.0.1";

/** A longer body may not fit into a socket's buffer at once: the connection is then waited for to take the rest. */
const SHORT_BODY_BYTES = 16_384;

/** The connection ended before the whole answer was seen: nobody knows whether the sidecar acted. */
export class Unanswered extends Error {}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(
    private readonly port: number,
    private readonly token?: string,
  ) {}

  /**
   * Resolves with the answer's JSON, `undefined` if it has none. What is not a problem is an answer whatever its
   * status: a degraded sidecar answers 503 with its health.
   *
   * @throws SidecarError what the sidecar answered, or `invalid_answer`
   * @throws Unanswered if the connection ended first; the signal's reason if that did
   */
  async send(request: HttpRequest, signal: AbortSignal): Promise<unknown> {
    const answer = await this.#exchange(request, signal);
    if (answer.contentType.startsWith("application/problem+json")) throw problemOf(answer);
    if (request.asJob === true && answer.status !== 202) throw noJob();
    if (answer.status === 204) return undefined;
    if (answer.contentType.startsWith("application/json")) return parseJson(answer);
    throw invalidAnswer(answer);
  }

  /** Closes every connection; requests under way end as unanswered. */
  close(): void {
    this.#agent.destroy();
  }

  #exchange({ method, path, body, key, asJob }: HttpRequest, signal: AbortSignal): Promise<Answer> {
    const headers: Record<string, string | number> = { accept: "application/json" };
    if (this.token !== undefined) headers["authorization"] = `Bearer ${this.token}`;
    if (key !== undefined) headers["idempotency-key"] = key;
    if (asJob === true) headers["prefer"] = "respond-async";
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = Buffer.byteLength(body);
    }
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void => {
        reject(signal.aborted ? (signal.reason as Error) : new Unanswered(cause.message, { cause }));
      };
      if (signal.aborted) return fail(new Error("ended before it was sent"));
      const options = { host: LOOPBACK, port: this.port, method, path, headers, agent: this.#agent };
      const outgoing = httpRequest(options, (incoming) => void readAnswer(incoming).then(resolve, fail));
      const abort = (): void => void outgoing.destroy();
      signal.addEventListener("abort", abort);
      noticeConnection(outgoing);
      if (Number(headers["content-length"] ?? 0) > SHORT_BODY_BYTES) takeAnotherTurn();
      outgoing.on("error", fail);
      outgoing.on("close", () => signal.removeEventListener("abort", abort));
      outgoing.end(body);
    });
  }
}

async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  const contentType = incoming.headers["content-type"] ?? "";
  // A stream has no end to wait for: it is none of the answers that a call can have.
  if (contentType.startsWith("text/event-stream")) {
    incoming.destroy();
    return { status: incoming.statusCode ?? 0, contentType, text: "" };
  }
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  if (!incoming.complete) throw new Error("the answer broke off");
  return { status: incoming.statusCode ?? 0, contentType, text: Buffer.concat(chunks).toString("utf8") };
}

function parseJson(answer: Answer): unknown {
  try {
    return JSON.parse(answer.text) as unknown;
  } catch (cause) {
    throw invalidAnswer(answer, cause);
  }
}

function problemOf(answer: Answer): SidecarError {
  const problem = parseJson(answer);
  if (!isRecord(problem) || typeof problem["code"] !== "string") return invalidAnswer(answer);
  const message = firstText(problem["detail"], problem["title"], problem["code"]);
  return new SidecarError(problem["code"], message, {
    status: answer.status,
    retryable: problem["retryable"] === true,
    errors: Array.isArray(problem["errors"]) ? problem["errors"].filter(isFieldError) : [],
  });
}

function invalidAnswer({ status }: Answer, cause?: unknown): SidecarError {
  const message = `The sidecar answered ${status} with something that the bridge does not understand; both must be of the same version.`;
  return new SidecarError("invalid_answer", message, { status, cause });
}

function noJob(): SidecarError {
  const message =
    "The work was done without a job, because the store takes no writes; its result is not kept.";
  return new SidecarError("no_job", message);
}

function firstText(...candidates: unknown[]): string {
  return candidates.find((text): text is string => typeof text === "string" && text !== "") ?? "";
}

function isFieldError(value: unknown): value is FieldError {
  return isRecord(value) && typeof value["field"] === "string" && typeof value["message"] === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

CREATE TABLE "contractor"."inquiry" (
	"id" bigint PRIMARY KEY DEFAULT nextval('contractor.task_id_seq') NOT NULL,
	"site" text NOT NULL,
	"module" text NOT NULL,
	"function" text NOT NULL,
	"params" jsonb NOT NULL,
	"timeout_ms" integer NOT NULL,
	"attempt" integer DEFAULT 1 NOT NULL,
	"claim_token" uuid,
	"agent" text,
	"lease_until" timestamp with time zone,
	"expires_at" timestamp with time zone NOT NULL,
	"answer" jsonb
);
--> statement-breakpoint
CREATE INDEX "inquiry_open" ON "contractor"."inquiry" USING btree ("module","site","id") WHERE "contractor"."inquiry"."answer" is null;--> statement-breakpoint
CREATE INDEX "inquiry_expires" ON "contractor"."inquiry" USING btree ("expires_at");
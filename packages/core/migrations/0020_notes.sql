CREATE TABLE "contractor"."note" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."note_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"title" text NOT NULL,
	"text" text NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "note_about" ON "contractor"."note" USING btree ("kind","key");--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."note" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();

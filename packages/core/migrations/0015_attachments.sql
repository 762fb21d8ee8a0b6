CREATE TABLE "contractor"."attachment" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."attachment_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"upload" uuid NOT NULL,
	"job" bigint NOT NULL,
	"task" bigint NOT NULL,
	"name" text NOT NULL,
	"content_type" text NOT NULL,
	"size_bytes" bigint,
	"sha256" text,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "attachment_upload_unique" UNIQUE("upload")
);
--> statement-breakpoint
CREATE TABLE "contractor"."attachment_piece" (
	"attachment" bigint NOT NULL,
	"place" integer NOT NULL,
	"data" "bytea" NOT NULL,
	CONSTRAINT "attachment_piece_attachment_place_pk" PRIMARY KEY("attachment","place")
);
--> statement-breakpoint
ALTER TABLE "contractor"."attachment_piece" ADD CONSTRAINT "attachment_piece_attachment_attachment_id_fk" FOREIGN KEY ("attachment") REFERENCES "contractor"."attachment"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "attachment_job" ON "contractor"."attachment" USING btree ("job","id");--> statement-breakpoint
CREATE INDEX "attachment_task" ON "contractor"."attachment" USING btree ("task");--> statement-breakpoint
CREATE INDEX "attachment_created" ON "contractor"."attachment" USING btree ("created_at");
DROP INDEX "contractor"."claim_word_answer";--> statement-breakpoint
CREATE INDEX "claim_word_look_at" ON "contractor"."claim_word" USING btree ("look_at");
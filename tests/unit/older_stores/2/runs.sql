BEGIN TRANSACTION;
CREATE TABLE metrics (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, epoch REAL NOT NULL,
    loss REAL NOT NULL, grad_norm REAL NOT NULL, learning_rate REAL NOT NULL, chars_per_second REAL NOT NULL,
    elapsed REAL NOT NULL, characters INTEGER NOT NULL, validation_loss REAL, PRIMARY KEY (run_id, step)
) WITHOUT ROWID;
INSERT INTO "metrics" VALUES('22c56dcf-4329-4cb3-9d65-6355c73b3186',1,0.0423728813559322,3.34309267997741699218e+00,4.14999157190322875976e-01,0.004,1.63400721967452966509e+02,0.0611992400008603,10,NULL);
INSERT INTO "metrics" VALUES('22c56dcf-4329-4cb3-9d65-6355c73b3186',2,0.0847457627118644,3.369964599609375e+00,4.40616816282272338867e-01,0.008,5.77561614512331107087e+03,6.29306570044718682765e-02,20,NULL);
INSERT INTO "metrics" VALUES('22c56dcf-4329-4cb3-9d65-6355c73b3186',3,1.27118644067796604524e-01,3.12032747268676757812e+00,4.38172429800033569335e-01,0.008,5.88939595351537718663e+03,6.46286240080371499061e-02,30,NULL);
INSERT INTO "metrics" VALUES('22c56dcf-4329-4cb3-9d65-6355c73b3186',4,1.69491525423728806032e-01,3.71035003662109375e+00,5.77183544635772705078e-01,0.00705,6.65536144737471113339e+03,6.6131172003224492073e-02,40,NULL);
INSERT INTO "metrics" VALUES('22c56dcf-4329-4cb3-9d65-6355c73b3186',5,0.211864406779661,3.45491480827331542968e+00,4.57533478736877441406e-01,6.09999999999999951982e-03,7633.63438423056,0.0674411640065955,50,NULL);
INSERT INTO "metrics" VALUES('22c56dcf-4329-4cb3-9d65-6355c73b3186',6,2.54237288135593209048e-01,3.23792576789855957031e+00,4.03613716363906860351e-01,0.00515,7.41092074306089307377e+03,6.87905240047257393598e-02,60,NULL);
CREATE TABLE runs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, message TEXT NOT NULL,
    kind TEXT NOT NULL, text_sha256 TEXT NOT NULL REFERENCES texts, text_name TEXT NOT NULL,
    text_builtin INTEGER NOT NULL, model TEXT NOT NULL, train TEXT NOT NULL,
    stop_at INTEGER, step INTEGER NOT NULL, saved_step INTEGER NOT NULL, elapsed REAL NOT NULL,
    loss REAL, validation_loss REAL, best_validation_loss REAL, created REAL NOT NULL, updated REAL NOT NULL,
    restarts INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "runs" VALUES('22c56dcf-4329-4cb3-9d65-6355c73b3186','211d0a7478959a637c83fd1057edb0bec0b71ba129dffedca76928775cee099a','Tyger','finished','All steps are done.','next-character','66b10074ffc2a014800cb79c6c4d1a845ee2766d7557392b8d60be5c964eddc7','poem.txt',0,'{"cell": "lstm", "hidden_size": 3, "num_layers": 1, "dropout": 0.0, "embedding_size": 0, "nonlinearity": "tanh", "bias": true, "bidirectional": false}','{"batch_size": 2, "bptt_steps": 5, "truncation": "carry", "steps": 10, "optimizer": "adamw", "learning_rate": 0.008, "warmup_steps": 2, "decay": "linear", "final_rate": 0.05, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.01, "clip": "norm", "clip_norm": 1.0, "validation_fraction": 0.0, "evaluate_every": 4, "evaluation_chars": 20000, "max_vocabulary": null, "minutes": null, "target_loss": null, "patience": null, "seed": 1, "precision": "float32", "device": "cpu"}',6,6,6,6.87905240047257393598e-02,3.23792576789855957031e+00,NULL,NULL,1.79560370000181889534e+09,1.79560370156837940218e+09,0);
CREATE TABLE samples (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (run_id, step)
) WITHOUT ROWID;
INSERT INTO "samples" VALUES('22c56dcf-4329-4cb3-9d65-6355c73b3186',0,'mC

suhnfus
t
n;teCa
,lihWyymilW,neIbtuWfIgTWt?h sr?t T,bs? W? fCl?uW hubueahyuboeerWnmu,nuy
tyy,ytsd?su?ebu
nh
n
oeu s Iayf??t?,CgfsfCashyWfgt,Wu
sWs
W iCmu,t WaeyrCCtteWyI;tslyuot?,lm,Wufg;ee yf
ryg');
INSERT INTO "samples" VALUES('22c56dcf-4329-4cb3-9d65-6355c73b3186',6,'mC

suhnfus
t
n;teCa
,lihWyymilW,neIdtuWfIgTWt?h sr?t I,bs? W; fCl?uW hubyeahyuboeerWnmu,nuy
tyy,ytsd?su?ebu
nh
n
oeu s Iayf??t?,CgfsfCashyWfgt,Wu
sWs
W i?mu,t WaeyrCCtteTyI;tslyuot?,ln,Wufg;ee yf
ryg');
CREATE TABLE texts (sha256 TEXT PRIMARY KEY, content TEXT NOT NULL);
INSERT INTO "texts" VALUES('66b10074ffc2a014800cb79c6c4d1a845ee2766d7557392b8d60be5c964eddc7','Tyger Tyger, burning bright,
In the forests of the night;
What immortal hand or eye,
Could frame thy fearful symmetry?
Tyger Tyger, burning bright,
In the forests of the night;
What immortal hand or eye,
Could frame thy fearful symmetry?
');
CREATE INDEX runs_of_owner ON runs (owner, created);
COMMIT;
PRAGMA user_version = 2;

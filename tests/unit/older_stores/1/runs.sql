BEGIN TRANSACTION;
CREATE TABLE metrics (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, epoch REAL NOT NULL,
    loss REAL NOT NULL, grad_norm REAL NOT NULL, learning_rate REAL NOT NULL, chars_per_second REAL NOT NULL,
    elapsed REAL NOT NULL, characters INTEGER NOT NULL, validation_loss REAL, PRIMARY KEY (run_id, step)
) WITHOUT ROWID;
INSERT INTO "metrics" VALUES('8eb2d4ab-1980-4e88-a3d7-a2703eb3b898',1,0.0423728813559322,3.34309267997741699218e+00,4.14999157190322875976e-01,0.004,2.49333077642830858167e+02,4.01069930012454278767e-02,10,NULL);
INSERT INTO "metrics" VALUES('8eb2d4ab-1980-4e88-a3d7-a2703eb3b898',2,0.0847457627118644,3.369964599609375e+00,4.40616816282272338867e-01,0.008,6.99477280637999774626e+03,4.15366320012253709137e-02,20,NULL);
INSERT INTO "metrics" VALUES('8eb2d4ab-1980-4e88-a3d7-a2703eb3b898',3,1.27118644067796604524e-01,3.12032747268676757812e+00,4.38172429800033569335e-01,0.008,8.17519105487861816056e+03,4.27598450041841715574e-02,30,NULL);
INSERT INTO "metrics" VALUES('8eb2d4ab-1980-4e88-a3d7-a2703eb3b898',4,1.69491525423728806032e-01,3.71035003662109375e+00,5.77183544635772705078e-01,0.00705,7.78802246018408368417e+03,0.0440438680088846,40,NULL);
INSERT INTO "metrics" VALUES('8eb2d4ab-1980-4e88-a3d7-a2703eb3b898',5,0.211864406779661,3.45491480827331542968e+00,4.57533478736877441406e-01,6.09999999999999951982e-03,9.26939547400649644249e+03,4.51226870136451907455e-02,50,NULL);
INSERT INTO "metrics" VALUES('8eb2d4ab-1980-4e88-a3d7-a2703eb3b898',6,2.54237288135593209048e-01,3.23792576789855957031e+00,4.03613716363906860351e-01,0.00515,9692.1858139874,4.6154446019500028342e-02,60,NULL);
CREATE TABLE runs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, message TEXT NOT NULL,
    kind TEXT NOT NULL, text_sha256 TEXT NOT NULL REFERENCES texts, text_name TEXT NOT NULL,
    text_builtin INTEGER NOT NULL, model TEXT NOT NULL, train TEXT NOT NULL,
    stop_at INTEGER, step INTEGER NOT NULL, saved_step INTEGER NOT NULL, elapsed REAL NOT NULL,
    loss REAL, validation_loss REAL, best_validation_loss REAL, created REAL NOT NULL, updated REAL NOT NULL
);
INSERT INTO "runs" VALUES('8eb2d4ab-1980-4e88-a3d7-a2703eb3b898','211d0a7478959a637c83fd1057edb0bec0b71ba129dffedca76928775cee099a','Tyger','finished','Reached its stop: steps.','next-character','66b10074ffc2a014800cb79c6c4d1a845ee2766d7557392b8d60be5c964eddc7','poem.txt',0,'{"cell": "lstm", "hidden_size": 3, "num_layers": 1, "dropout": 0.0, "embedding_size": 0, "nonlinearity": "tanh", "bias": true, "bidirectional": false}','{"batch_size": 2, "bptt_steps": 5, "truncation": "carry", "steps": 10, "optimizer": "adamw", "learning_rate": 0.008, "warmup_steps": 2, "decay": "linear", "final_rate": 0.05, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.01, "clip": "norm", "clip_norm": 1.0, "validation_fraction": 0.0, "evaluate_every": 4, "evaluation_chars": 20000, "minutes": null, "target_loss": null, "patience": null, "seed": 1, "precision": "float32", "device": "cpu"}',6,6,6,4.6154446019500028342e-02,3.23792576789855957031e+00,NULL,NULL,1.79560369663032317159e+09,1.79560369790122818954e+09);
CREATE TABLE samples (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (run_id, step)
) WITHOUT ROWID;
INSERT INTO "samples" VALUES('8eb2d4ab-1980-4e88-a3d7-a2703eb3b898',0,'mC

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
INSERT INTO "samples" VALUES('8eb2d4ab-1980-4e88-a3d7-a2703eb3b898',6,'mC

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
PRAGMA user_version = 1;
